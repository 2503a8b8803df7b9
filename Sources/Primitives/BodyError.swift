/// Why a body could not be read to its end, or an answer not be written.
///
/// Every kind but `storage` and `storageAway` is the fault of whoever sends or receives the bytes: it never counts
/// against a backend.
package struct BodyError: Error, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// The peer went away, or its connection broke.
        case disconnected
        /// The peer sent or took bytes too slowly.
        case timedOut
        /// Fewer bytes came than were announced.
        case incomplete
        /// More bytes came than are allowed.
        case tooLarge
        /// Fewer bytes came than the sender was allowed to send.
        case tooSmall
        /// Transfer or aws-chunked framing that does not parse.
        case malformed
        /// A chunk, or the trailer, carries a signature that is not right.
        case signatureMismatch
        /// The payload's SHA-256 is not the one that was signed.
        case contentSHA256Mismatch
        /// The payload's MD5 is not the one in `Content-MD5`.
        case contentMD5Mismatch
        /// A checksum of the `x-amz-checksum-*` family does not match.
        case checksumMismatch
        /// A trailer that was announced is missing, or one came that was not.
        case malformedTrailer
        /// A body of `multipart/form-data` that is not well-formed.
        case malformedForm
        /// A form that carries more than the one file it may.
        case severalFiles
        /// The task that needed the bytes was cancelled, for instance by a drain that ran out of time.
        case cancelled
        /// The bytes came from our own storage, which could not deliver them.
        case storage
        /// They did, and it can once more of it answers.
        case storageAway
    }

    package let kind: Kind
    /// A sentence for the client: what was wrong. It carries no secret.
    package let message: String

    package init(_ kind: Kind, _ message: String) {
        self.kind = kind
        self.message = message
    }

    package var description: String { "\(kind.rawValue): \(message)" }
}
