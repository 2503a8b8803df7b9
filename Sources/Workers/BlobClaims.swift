package import Primitives
import Synchronization

/// Which blobs a worker of this process is changing, so that a repair and a removal never meet on one.
package final class BlobClaims: Sendable {
    private let claimed = Mutex<Set<BlobName>>([])

    package init() {}

    /// Claims a blob; false where another worker has it.
    func claim(_ name: BlobName) -> Bool {
        claimed.withLock { $0.insert(name.whole).inserted }
    }

    /// Returns once nobody is at work any more on what somebody is at work on now.
    ///
    /// - Returns: False where that takes longer than `patience`.
    package func settle(within patience: Duration, _ environment: any Environment) async throws(CancellationError)
        -> Bool
    {
        let (before, start) = (claimed.withLock { $0 }, environment.monotonicNanoseconds())
        while !claimed.withLock({ $0.isDisjoint(with: before) }) {
            let waited = Duration.nanoseconds(Int64(clamping: environment.monotonicNanoseconds() &- start))
            guard waited < patience else { return false }
            try await environment.sleep(for: .milliseconds(20))
        }
        return true
    }

    func release(_ name: BlobName) {
        claimed.withLock { _ = $0.remove(name.whole) }
    }
}
