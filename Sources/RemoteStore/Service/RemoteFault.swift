import Primitives
import Storage

/// Why a backend did not do what it was asked.
struct RemoteFault: Error, CustomStringConvertible {
    enum Kind: Equatable {
        /// No whole answer came.
        case transfer(TransferError)
        /// The backend answered that it will not, or cannot.
        case refused(ErrorAnswer)
        /// The backend answered what cannot be right.
        case wrong(String)
    }

    /// What S3 calls the operation.
    let operation: String
    let kind: Kind

    init(_ operation: String, _ kind: Kind) {
        (self.operation, self.kind) = (operation, kind)
    }

    /// A sentence for the log: the operation, the status, the S3 code and the request's id.
    var description: String {
        switch kind {
        case .transfer(let error): "\(operation): \(error)"
        case .refused(let answer): "\(operation): \(answer)"
        case .wrong(let detail): "\(operation): \(detail)"
        }
    }

    var isCancelled: Bool { kind == .transfer(.cancelled) }

    /// Whether there is no object under the key, in a bucket that is there.
    var isNotFound: Bool { hasCode("NoSuchKey") }

    func hasCode(_ code: String) -> Bool {
        if case .refused(let answer) = kind { answer.code == code } else { false }
    }

    /// Whether the backend may have done it all the same.
    var mayHaveTakenEffect: Bool {
        switch kind {
        case .transfer(let error): error.mayHaveTakenEffect
        // A completion may be refused behind a status of success.
        case .refused(let answer): (answer.status >= 500 || answer.code == "InternalError") && !answer.isThrottling
        case .wrong: true
        }
    }

    /// Whether the same request may fare better a little later.
    var isPassing: Bool {
        switch kind {
        case .transfer(.notConnected), .transfer(.broken): true
        case .transfer: false
        case .refused(let answer): answer.isPassing
        case .wrong: false
        }
    }

    /// What the caller of a store is told. `notFound` only where the backend said that it has no such key.
    func storageError(of backend: String) -> StorageError {
        if isNotFound { return .notFound }
        if case .refused(let answer) = kind, answer.isFull { return .full }
        return .unavailable("\(backend): \(self)")
    }
}
