import Primitives
package import S3Model

/// An operation as HTTP and XML carry it.
package protocol WireOperation: Operation {
    /// The names under which the service table routes to it: its own, but where one type answers for several.
    static var routes: [String] { get }
    static var payload: PayloadKind { get }
    /// Whether `x-amz-checksum-*` is of the document that is sent; CompleteMultipartUpload names the object's by it.
    static var checksumIsOfDocument: Bool { get }

    /// Reads a request. `document` is the body, whole, where `payload` asks for it.
    static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input

    /// Writes an answer. The body of an object is not part of it.
    static func encode(_ output: Output, for input: Input) -> WireResponse
}

extension WireOperation {
    package static var routes: [String] { [name] }
    package static var payload: PayloadKind { .none }
    package static var checksumIsOfDocument: Bool { true }
}

/// What an operation does with the body of its request.
package enum PayloadKind: Sendable, Hashable {
    /// It has no use for one.
    case none
    /// A document of at most so many bytes, read and checked before anything is decoded.
    case document(limit: Int)
    /// The bytes of an object.
    case stream
}
