import NIOCore
import Primitives
import Simulation
import XML

/// An answer, as a test looks at it.
struct Received: Sendable, CustomStringConvertible {
    var status: Int
    var fields: HeaderFields
    var body: [UInt8]
    /// Whether the connection was reset before the answer was whole.
    var isAborted: Bool

    init(_ transcript: RecordingChannel.Transcript) {
        status = transcript.head?.status ?? 0
        fields = transcript.head?.fields ?? HeaderFields()
        body = Array(transcript.bytes.readableBytesView)
        isAborted = transcript.isAborted || !transcript.isFinished
    }

    /// A header field by its lower-case name.
    subscript(_ name: String) -> String? { fields[name] }

    var text: String { String(decoding: body, as: UTF8.self) }
    var etag: String? { fields["etag"] }
    var versionID: String? { fields["x-amz-version-id"] }

    /// The root of the document in the body; nil where it does not parse.
    var xml: XMLElement? { try? XMLDocument.parse(body) }

    /// The name of the document in the body.
    var root: String? { xml?.name }

    /// The error's code; nil where the body is no error.
    var code: String? {
        guard let root = xml, root.name == "Error" else { return nil }
        return root.child("Code")?.text
    }

    /// Status and code, or the status alone: what most refusals are held against.
    var outcome: String { code.map { "\(status) \($0)" } ?? String(status) }

    /// The texts of all elements at a path below the root, such as `Contents/Key`.
    func texts(_ path: String) -> [String] { elements(path).map(\.text) }

    /// The text of the first element at a path below the root.
    func text(_ path: String) -> String? { elements(path).first?.text }

    func elements(_ path: String) -> [XMLElement] {
        guard let root = xml else { return [] }
        return path.split(separator: "/").reduce([root]) { elements, name in
            elements.flatMap { $0.children(String(name)) }
        }
    }

    var description: String {
        let headers = fields.fields.map { "\($0.name): \($0.value)" }.joined(separator: "\n")
        return "\(status)\(isAborted ? " (aborted)" : "")\n\(headers)\n\n\(String(text.prefix(2000)))"
    }
}

/// The bytes of a body or document, which tests mostly write as text.
struct Content: Sendable, ExpressibleByStringInterpolation {
    var bytes: [UInt8]

    init(_ bytes: [UInt8]) { self.bytes = bytes }
    init(stringLiteral value: String) { bytes = Array(value.utf8) }
}
