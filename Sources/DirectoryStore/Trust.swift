import Storage
import Synchronization

/// Whether what a store wrote can still be relied on.
final class Trust: Sendable {
    private let suspicion = Mutex<String?>(nil)

    /// Whether all is well.
    var isWhole: Bool { reason == nil }

    /// What made the store suspect, or nil.
    var reason: String? { suspicion.withLock { $0 } }

    /// Throws where nothing may be written any more.
    func check() throws(StorageError) {
        if let reason { throw .unavailable("the store is suspect: \(reason)") }
    }

    /// Turns the store suspect after a sync that failed: what the disk holds is unknown, and asking again would hide
    /// it.
    func lose(_ error: SystemError) -> StorageError {
        lose(error.description)
    }

    /// Turns the store suspect.
    func lose(_ reason: String) -> StorageError {
        suspicion.withLock { $0 = $0 ?? reason }
        return .unavailable("the store is suspect: \(reason)")
    }

    /// Runs a sync, whose failure turns the store suspect.
    func syncing(_ sync: () throws(SystemError) -> Void) throws(StorageError) {
        do throws(SystemError) {
            try sync()
        } catch {
            throw lose(error)
        }
    }
}
