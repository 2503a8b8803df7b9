package import NIOCore
package import Primitives

/// The answer that the server gives itself: S3's error document (S3 API, "REST error responses").
package enum RefusalResponse {
    /// The head and the document of a refusal under a request id of 16 hexadecimal digits.
    package static func make(_ refusal: RequestRefusal, requestID: UInt64) -> (head: ResponseHead, body: ByteBuffer) {
        let digits = String(requestID, radix: 16, uppercase: true)
        let identifier = String(repeating: "0", count: 16 - digits.utf8.count) + digits
        // Code and message are constants of ours, so nothing in them needs escaping.
        let body = ByteBuffer(
            string: """
                <?xml version="1.0" encoding="UTF-8"?>
                <Error><Code>\(refusal.code)</Code><Message>\(refusal.message)</Message>\
                <RequestId>\(identifier)</RequestId></Error>
                """)
        var fields: HeaderFields = ["content-type": "application/xml", "x-amz-request-id": identifier]
        // RFC 9110 §15.5.6 wants it: the methods that any resource of S3's has.
        if refusal.status == 405 { fields.append("allow", "DELETE, GET, HEAD, POST, PUT") }
        if refusal.status == 503 { fields.append("retry-after", "1") }
        return (ResponseHead(status: refusal.status, fields: fields), body)
    }
}
