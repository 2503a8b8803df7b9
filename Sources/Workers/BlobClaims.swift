import Primitives
import Synchronization

/// Which blobs a worker of this process is changing, so that a repair and a removal never meet on one.
package final class BlobClaims: Sendable {
    private let claimed = Mutex<Set<BlobName>>([])

    package init() {}

    /// Claims a blob; false where another worker has it.
    func claim(_ name: BlobName) -> Bool {
        claimed.withLock { $0.insert(name.whole).inserted }
    }

    func release(_ name: BlobName) {
        claimed.withLock { _ = $0.remove(name.whole) }
    }
}
