import NIOCore
import Primitives

/// One request in S3's terms, before it is signed.
struct RemoteCall: Sendable {
    /// What S3 calls it, for messages.
    let operation: String
    let method: String
    /// Nil for the bucket itself.
    let key: String?
    var query: [(name: String, value: String)] = []
    var fields = HeaderFields()
    /// Whether doing it twice is as good as doing it once.
    var isRepeatable = true
    /// Whether the task's cancellation leaves it alone.
    var isShielded = false

    /// Whether S3's answer has no document where it did what it was asked.
    var isAnsweredBare: Bool {
        ["PutObject", "UploadPart", "DeleteObject", "AbortMultipartUpload"].contains(operation)
    }
}

/// A whole answer with a status of success.
struct RemoteAnswer: Sendable {
    let head: ResponseHead
    let body: ByteBuffer
}
