import NIOCore
import Primitives
import XML

/// One page of ListMultipartUploads: uploads that were begun and neither completed nor aborted.
struct UploadPage: Sendable, Equatable {
    struct Entry: Sendable, Equatable {
        let key: String
        let id: String
        /// By the backend's clock; nil where it does not tell.
        let initiated: Timestamp?
    }

    /// Behind which upload the next page begins.
    struct Marker: Sendable, Equatable {
        let key: String
        /// Nil where the next page begins behind every upload of the key.
        let id: String?
    }

    static let byteLimit = 4 << 20

    let entries: [Entry]
    /// How the next page is asked for; nil where this is the last.
    let next: Marker?

    /// Reads a page; nil where it is none. An entry whose id cannot be sent back is passed over.
    init?(_ bytes: ByteBuffer) {
        guard let root = BucketAnswers.root(bytes, named: "ListMultipartUploadsResult", limit: Self.byteLimit) else {
            return nil
        }
        entries = root.children("Upload").compactMap { element in
            guard let key = element.child("Key")?.text, let id = element.child("UploadId")?.text,
                MultipartAnswers.isText(id)
            else { return nil }
            return Entry(
                key: key, id: id, initiated: element.child("Initiated").flatMap { Timestamp(iso8601: $0.text) })
        }
        guard root.child("IsTruncated")?.text == "true", let key = root.child("NextKeyMarker")?.text, !key.isEmpty
        else {
            next = nil
            return
        }
        let id = root.child("NextUploadIdMarker")?.text
        next = Marker(key: key, id: id.flatMap { MultipartAnswers.isText($0) ? $0 : nil })
    }
}
