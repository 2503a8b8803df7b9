import NIOCore
import Primitives
import XML

/// An answer that is none of those that were hoped for, with what S3 says of its reason.
///
/// The message of the backend is left out: it may repeat what was sent.
struct ErrorAnswer: Sendable, Equatable, CustomStringConvertible {
    /// The most bytes of a document that are looked at.
    static let byteLimit = 64 << 10

    let status: Int
    /// S3's word for it, where there was a document.
    let code: String?
    let requestID: String?
    /// The backend's time, where it told.
    let time: Timestamp?
    /// For how long the backend wants to be left alone.
    let retryAfter: Duration?
    /// Where the bucket is, where the backend wants to be asked there.
    let region: String?

    init(
        status: Int, code: String? = nil, requestID: String? = nil, time: Timestamp? = nil, retryAfter: Duration? = nil,
        region: String? = nil
    ) {
        (self.status, self.code, self.requestID) = (status, code, requestID)
        (self.time, self.retryAfter, self.region) = (time, retryAfter, region)
    }

    /// Reads what there is: an answer that cannot be read is one without a code.
    init(_ head: ResponseHead, _ body: ByteBuffer) {
        var limits = XMLLimits()
        (limits.bytes, limits.depth, limits.elements) = (Self.byteLimit, 8, 200)
        // Many answers have no document, or a page of a proxy: the status speaks for itself then.
        let document = try? XMLDocument.parse(body, limits: limits)
        self.init(head, document: document)
    }

    /// - Parameter document: Whatever document came; only an `Error` is looked at.
    init(_ head: ResponseHead, document: XMLElement?) {
        let error = document.flatMap { $0.isNamed("Error") ? $0 : nil }
        func text(_ name: String) -> String? { error?.child(name)?.text }
        let told = head.fields["date"].flatMap { Timestamp(httpDate: $0) }
        self.init(
            status: head.status, code: Self.word(text("Code")),
            requestID: Self.word(head.fields["x-amz-request-id"]) ?? Self.word(text("RequestId")),
            time: text("ServerTime").flatMap { Timestamp(iso8601: $0) } ?? told,
            retryAfter: head.fields["retry-after"].flatMap { Int64($0) }.flatMap { $0 >= 0 ? .seconds($0) : nil },
            region: Self.word(text("Region")) ?? Self.word(head.fields["x-amz-bucket-region"]))
    }

    var description: String {
        "status \(status)\(code.map { " \($0)" } ?? "")\(requestID.map { " (request \($0))" } ?? "")"
    }

    /// Whether the backend asks for fewer requests, and has done nothing.
    var isThrottling: Bool {
        status == 429 || code == "SlowDown" || code == "TooManyRequests" || (status == 503 && code != nil)
    }

    var isPassing: Bool {
        isThrottling || [500, 502, 503, 504].contains(status) || ["InternalError", "RequestTimeout"].contains(code)
    }

    var isFull: Bool {
        status == 507 || ["QuotaExceeded", "XMinioStorageFull", "InsufficientStorage", "StorageFull"].contains(code)
    }

    /// Letters, digits and a few signs, as codes and ids have them: what else a backend writes does not get into a log.
    private static func word(_ text: String?) -> String? {
        guard let text, (1...128).contains(text.utf8.count) else { return nil }
        let signs = Array("-_.=+/:".utf8)
        return text.utf8.allSatisfy { byte in
            (0x30...0x39).contains(byte) || (0x41...0x5a).contains(byte) || (0x61...0x7a).contains(byte)
                || signs.contains(byte)
        } ? text : nil
    }
}
