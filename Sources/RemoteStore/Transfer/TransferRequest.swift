package import Primitives

/// One request as it goes to libcurl: nothing is added to it but what frames its body.
package struct TransferRequest: Sendable {
    /// Scheme and authority, such as `https://s3.example.org:9000`.
    package var origin: String
    /// Method, target and every field that is sent, `host` among them.
    package var head: RequestHead
    /// The bytes of the body; nil for a request that has none and sends no `content-length`.
    package var contentLength: Int64?

    package init(origin: String, head: RequestHead, contentLength: Int64? = nil) {
        (self.origin, self.head, self.contentLength) = (origin, head, contentLength)
    }

    var url: String { origin + head.target }

    /// Whether nothing in it could end a line or a text of C.
    var isClean: Bool {
        func isClean(_ text: String) -> Bool { text.utf8.span.areAll { $0 > 0x1f && $0 != 0x7f } }
        return isClean(origin) && isClean(head.method) && isClean(head.target)
            && head.fields.fields.allSatisfy { isClean($0.name) && isClean($0.value) }
    }
}
