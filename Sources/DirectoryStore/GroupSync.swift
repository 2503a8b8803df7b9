import Synchronization

/// Shares the syncs of a directory among those who changed it at about the same time: a sync serves every change that
/// was made before it began.
final class GroupSync: Sendable {
    private struct State {
        var waiting: [@Sendable (SystemError?) -> Void] = []
        var isSyncing = false
    }

    private let file: OpenFile
    private let state = Mutex(State())

    init(_ file: OpenFile) {
        self.file = file
    }

    /// Calls `complete` once a sync that began after this call has ended, with its error.
    ///
    /// The caller's thread does the sync, and those that are asked for meanwhile, unless another thread is at it: that
    /// one does this one's then, and the caller returns at once.
    func join(_ complete: @escaping @Sendable (SystemError?) -> Void) {
        let leads = state.withLock { state in
            state.waiting.append(complete)
            defer { state.isSyncing = true }
            return !state.isSyncing
        }
        guard leads else { return }
        while let batch = nextBatch() {
            var failure: SystemError?
            do throws(SystemError) {
                try LinuxCalls.sync(file)
            } catch {
                failure = error
            }
            for complete in batch { complete(failure) }
        }
    }

    private func nextBatch() -> [@Sendable (SystemError?) -> Void]? {
        state.withLock { state in
            guard !state.waiting.isEmpty else {
                state.isSyncing = false
                return nil
            }
            defer { state.waiting = [] }
            return state.waiting
        }
    }
}
