package import Metadata
package import Primitives
package import S3Model
package import S3Wire
package import Signing
package import Storage

/// Where errors of the seams become S3's. What a client cannot mend is said in general words; the log has the rest.
extension S3Error {
    /// The header under which an internal reason travels to the log. It is taken off before an answer is written.
    package static let internalReason = "internal-reason"

    /// An error whose reason is for the log alone.
    package static func hidden(_ code: Code, _ reason: String) -> S3Error {
        S3Error(code, headers: [Detail(internalReason, reason)])
    }

    package static func damagedRecord(_ reason: String) -> S3Error { hidden(.internalError, "index: \(reason)") }

    package init(_ error: MetadataError) {
        switch error {
        case .conflict: self.init(.operationAborted)
        case .notCommitted(let reason): self = .hidden(.serviceUnavailable, "index: \(reason)")
        case .unknown(let reason): self = .hidden(.internalError, "index: outcome unknown: \(reason)")
        }
    }

    package init(_ error: StorageError) {
        switch error {
        case .source(let error), .sink(let error): self.init(error)
        case .full:
            self = .hidden(
                .serviceUnavailable, "storage: the disks of the stores are full, or their quotas are used up")
        case .unavailable(let reason): self = .hidden(.serviceUnavailable, "storage: \(reason)")
        case .quorum(let up, let needed): self = .hidden(.serviceUnavailable, "storage: \(up) of \(needed) stores")
        case .notFound: self = .hidden(.internalError, "storage: a blob is missing")
        case .invalidRange: self = .hidden(.internalError, "storage: range outside a blob")
        case .corrupt(let reason): self = .hidden(.internalError, "storage: \(reason)")
        }
    }

    package init(_ error: BodyError) {
        switch error.kind {
        case .disconnected, .cancelled: self = .hidden(.requestTimeout, error.description)
        case .timedOut: self.init(.requestTimeout)
        case .incomplete: self.init(.incompleteBody, error.message)
        case .tooLarge: self.init(.entityTooLarge, error.message)
        case .tooSmall: self.init(.entityTooSmall, error.message)
        case .malformed: self.init(.incompleteBody, error.message)
        case .signatureMismatch: self.init(.signatureDoesNotMatch)
        case .contentSHA256Mismatch: self.init(.contentSHA256Mismatch)
        case .contentMD5Mismatch: self.init(.badDigest)
        case .checksumMismatch: self.init(.badDigest, error.message)
        case .malformedTrailer: self.init(Code("MalformedTrailerError", 400, error.message))
        case .malformedForm: self.init(malformedForm: error.message)
        case .severalFiles: self.init(.incorrectNumberOfFiles)
        case .storage: self = .hidden(.internalError, error.description)
        case .storageAway: self = .hidden(.serviceUnavailable, error.description)
        }
    }

    package init(_ error: FormError) {
        switch error {
        case .body(let error): self.init(error)
        case .refused(let error): self = error
        }
    }

    package init(_ error: SigningError) {
        self.init(
            Code(error.code, error.status, error.message), details: error.elements.map { Detail($0.name, $0.value) })
    }
}
