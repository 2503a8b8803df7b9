import Metadata
import Synchronization

/// Whether the index can still be trusted. Once it is suspect it stays so: the process has to end, and a new one
/// recovers the file.
final class IndexHealth: Sendable {
    private let reason = Mutex<String?>(nil)
    private let onSuspect: @Sendable (String) -> Void

    init(onSuspect: @escaping @Sendable (String) -> Void) {
        self.onSuspect = onSuspect
    }

    var suspicion: String? { reason.withLock { $0 } }

    /// Remembers the first reason.
    func suspect(_ detail: String) {
        let isFirst = reason.withLock { reason in
            defer { reason = reason ?? detail }
            return reason == nil
        }
        if isFirst { onSuspect(detail) }
    }

    func check() throws(MetadataError) {
        if let suspicion { throw .notCommitted("the index is suspect: \(suspicion)") }
    }

    /// The error for a request that read or wrote nothing, and what it means for the index.
    func failure(_ error: SQLiteError) -> MetadataError {
        if error.makesSuspect { suspect(error.description) }
        return .notCommitted(error.description)
    }
}
