package import Metadata
internal import Synchronization

/// Transaction ids of one epoch, one after the other.
package final class TransactionIDs: Sendable {
    private let epoch: UInt32
    private let counter = Atomic<UInt64>(0)

    package init(epoch: UInt32) {
        self.epoch = epoch
    }

    package func next() -> TransactionID {
        TransactionID(epoch: epoch, counter: counter.add(1, ordering: .relaxed).newValue)
    }
}
