import NIOCore
import Primitives
import XML

/// What a backend answers to the calls of a multipart upload, and what the last of them sends.
enum MultipartAnswers {
    static let byteLimit = 64 << 10

    /// The id of a new upload; nil where the answer has none that can be sent back.
    static func uploadID(_ bytes: ByteBuffer) -> String? {
        // What cannot be read has no id either.
        let root = try? XMLDocument.parse(bytes, limits: limits)
        // rclone's server leaves out the last word.
        let names = ["InitiateMultipartUploadResult", "InitiateMultipartUpload"]
        guard let root, names.contains(where: root.isNamed), let id = root.child("UploadId")?.text, isText(id) else {
            return nil
        }
        return id
    }

    /// A part's ETag, which is only sent back; nil where there is none.
    static func eTag(_ head: ResponseHead) -> String? {
        head.fields["etag"].flatMap { isText($0) ? $0 : nil }
    }

    /// What became of a completion that was answered with 200: nil where it succeeded. S3 sends that status before it
    /// knows.
    static func failure(_ head: ResponseHead, _ bytes: ByteBuffer) -> RemoteFault.Kind? {
        // A document that cannot be read says of no success.
        guard let root = try? XMLDocument.parse(bytes, limits: limits) else {
            return .wrong("it answered a completion with a document that cannot be read")
        }
        if root.isNamed("CompleteMultipartUploadResult") { return nil }
        guard root.isNamed("Error") else { return .wrong("it answered a completion with another document") }
        return .refused(ErrorAnswer(head, document: root))
    }

    /// The document that completes an upload of these parts, in order.
    static func completion(of eTags: [String]) -> ByteBuffer {
        var writer = XMLWriter()
        writer.root("CompleteMultipartUpload") { writer in
            for (index, eTag) in eTags.enumerated() {
                writer.element("Part") { writer in
                    writer.element("PartNumber", index + 1)
                    writer.element("ETag", eTag)
                }
            }
        }
        return ByteBuffer(bytes: writer.bytes)
    }

    private static var limits: XMLLimits { XMLLimits(bytes: byteLimit, depth: 8, elements: 200) }

    /// Whether a text can be sent back.
    static func isText(_ text: String) -> Bool {
        (1...1024).contains(text.utf8.count) && text.utf8.span.areAll { $0 > 0x20 && $0 < 0x7f }
    }
}
