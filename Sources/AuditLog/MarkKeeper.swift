import Audit
import Dispatch
import Synchronization

/// Sets the mark some time after syncs, on a thread of its own.
final class MarkKeeper: Sendable {
    private struct State {
        var isScheduled = false
        var isFinished = false
        /// What the mark is.
        var current: AuditHead?
    }

    private let mark: SyncedMark
    private let interval: DispatchTimeInterval
    private let onFailure: @Sendable (String) -> Void
    /// Serial: one mark is written at a time.
    private let queue = DispatchQueue(label: "tidegate.audit-mark")
    private let state = Mutex(State())

    /// - Parameters:
    ///   - interval: milliseconds between a sync and the mark at most.
    ///   - onFailure: called when a mark could not be set; the one before stays, and the next sync tries again.
    init(in directory: PosixDirectory, _ interval: Int, onFailure: @escaping @Sendable (String) -> Void) {
        mark = SyncedMark(in: directory)
        self.interval = .milliseconds(interval)
        self.onFailure = onFailure
    }

    /// Sets the mark now: to a record that is on the disk.
    func set(_ head: AuditHead) throws(PosixFailure) {
        guard state.withLock({ !$0.isFinished && $0.current != head }) else { return }
        try mark.write(head)
        state.withLock { $0.current = head }
    }

    /// Sets the mark within the interval.
    ///
    /// - Parameter head: gives the last record that is on the disk by then.
    func schedule(_ head: @escaping @Sendable () -> AuditHead?) {
        let isDue = state.withLock { state in
            defer { state.isScheduled = true }
            return !state.isScheduled && !state.isFinished
        }
        guard isDue else { return }
        queue.asyncAfter(deadline: .now() + interval) {
            self.state.withLock { $0.isScheduled = false }
            guard let head = head() else { return }
            do throws(PosixFailure) { try self.set(head) } catch { self.onFailure("\(error)") }
        }
    }

    /// Sets the mark for the last time; what is scheduled does nothing any more.
    ///
    /// - Returns: why it could not be set.
    func finish(_ head: AuditHead?) -> PosixFailure? {
        queue.sync {
            var failure: PosixFailure?
            if let head {
                do throws(PosixFailure) { try set(head) } catch let error { failure = error }
            }
            state.withLock { $0.isFinished = true }
            return failure
        }
    }
}
