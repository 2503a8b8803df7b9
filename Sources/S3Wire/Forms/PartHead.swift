import Primitives

/// The header of one part of a form (RFC 7578 §4).
struct PartHead: Sendable {
    /// The field's name, of either case.
    var name: String
    /// The name of the file that the part is, as the browser gives it; nil for an ordinary field.
    var fileName: String?

    /// Reads the lines of a part's header, without their ends.
    ///
    /// - Throws: `BodyError` of kind `malformedForm` for lines that are no header fields, and where a reader of another
    ///   mind could see another field: no `Content-Disposition` or two, a `form-data` without a name, an encoding that
    ///   is not the identity, several files in one part (RFC 7578 §4.3).
    init(lines: [[UInt8]]) throws(BodyError) {
        var disposition: ParameterizedValue?
        for line in lines {
            let colon = line.firstIndex(of: UInt8(ascii: ":")) ?? 0
            guard colon > 0, line[..<colon].allSatisfy(TokenBytes.isToken),
                line.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 })
            else { throw Self.malformed("A part has a line that is no header field.") }
            let value = ParameterizedValue.trimmed(line[(colon + 1)...])
            switch ParameterizedValue.lowercased(line[..<colon]) {
            case "content-disposition":
                guard disposition == nil, let parsed = ParameterizedValue(value) else {
                    throw Self.malformed("The Content-Disposition of a part does not parse or comes twice.")
                }
                disposition = parsed
            case "content-transfer-encoding":
                guard ["7bit", "8bit", "binary"].contains(ParameterizedValue.lowercased(value)) else {
                    throw Self.malformed("A part is encoded.")
                }
            case "content-type":
                guard !ParameterizedValue.lowercased(value).utf8.starts(with: "multipart/mixed".utf8) else {
                    throw Self.malformed("A part is of several parts itself.")
                }
            default: break
            }
        }
        guard let disposition, disposition.value.utf8.elementsEqual("form-data".utf8), let name = disposition["name"],
            !name.isEmpty
        else { throw Self.malformed("A part does not say which field it is.") }
        // Beside `filename`, some clients send `filename*`, which RFC 7578 §4.2 forbids; it is ignored.
        guard let name = String(validating: name, as: UTF8.self) else {
            throw Self.malformed("A field's name is not UTF-8.")
        }
        self.name = name
        if let fileName = disposition["filename"] {
            guard let fileName = String(validating: fileName, as: UTF8.self) else {
                throw Self.malformed("A file's name is not UTF-8.")
            }
            self.fileName = fileName
        }
    }

    /// Whether the part is the object's bytes.
    var isFile: Bool { ParameterizedValue.lowercased(Array(name.utf8)[...]).utf8.elementsEqual("file".utf8) }

    /// The file's name without the path before it, which some browsers send, by slashes or backslashes; empty where
    /// there is none.
    var baseName: [UInt8] {
        let bytes = Array((fileName ?? "").utf8)
        let start = bytes.lastIndex { $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }.map { $0 + 1 }
        return Array(bytes[(start ?? 0)...])
    }

    /// The body ended within a part.
    static var incomplete: BodyError { malformed("The last boundary is missing.") }

    static func malformed(_ reason: String) -> BodyError { BodyError(.malformedForm, reason) }
}
