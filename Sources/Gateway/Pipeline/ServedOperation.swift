package import Primitives
package import S3Model
package import S3Wire
package import Storage

/// An operation that Tidegate serves.
///
/// `perform` is reached by the pipeline alone: after authentication, decoding and authorisation, and never around the
/// record.
package protocol ServedOperation: WireOperation {
    static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output>

    /// The name of the event in the audit log, where it depends on the input.
    static func eventName(of input: Input) -> String

    /// Whether a request changes nothing, where that depends on the input.
    static func isReadOnly(_ input: Input) -> Bool
}

extension ServedOperation {
    package static func eventName(of input: Input) -> String { name }
    package static func isReadOnly(_ input: Input) -> Bool { isReadOnly }
}

/// What an operation answers: a value, and for a read of an object the bytes.
package struct Reply<Output: Sendable>: Sendable {
    package var output: Output
    package var content: ObjectContent?

    package init(_ output: Output, content: ObjectContent? = nil) {
        (self.output, self.content) = (output, content)
    }
}

/// The bytes of an answer, pulled when the head has found its way.
package struct ObjectContent: Sendable {
    /// Bytes to come.
    package var length: Int64
    package var read: Read

    /// Writes every byte to the sink.
    package typealias Read = @Sendable (inout any BodySink) async throws(Failure) -> Void
    package typealias Failure = StorageError

    package init(length: Int64, read: @escaping Read) {
        (self.length, self.read) = (length, read)
    }
}
