package import Metadata
package import Primitives

/// What a worker did or met, for the log and the metrics.
package enum WorkerEvent: Sendable {
    /// A step failed. It is tried again after so long, or not at all where nil.
    case failed(Worker, WorkerError, retry: Duration?)
    /// Records went from the outbox into the log.
    case drained(records: Int)
    /// A row of the outbox is no record that the log takes; a record of that went into the log instead of it.
    case unreadableOutboxRow(Key)
    case trash(TrashReport)
    case orphans(OrphanReport)
    /// Tombstones of uploads that are not needed any more were removed.
    case uploadsForgotten(Int)
    /// Shards were written anew: where each of them lies now.
    case repaired(BlobName, stores: [UInt16])
    /// Shards that could not be repaired now.
    case unrepaired(BlobName, shards: [UInt8])
    /// Of these, the ones that had been lost: how many bytes each has, and the time from the finding of the loss.
    case restored(stores: [UInt16], bytesEach: Int64, took: Duration)
    /// A scrub found shards missing or corrupt that nobody had known of.
    case damageFound([FoundDamage])
    /// No blob on the queue is due for a repair any more.
    case repairsRest
    /// Reports of damage beyond what is kept waiting; a scrub finds the damage again.
    case damageReportsDropped(Int)
    case scrubbed(ScrubReport)
}

/// A shard that a scrub found missing or corrupt.
package struct FoundDamage: Sendable, Hashable {
    /// The store that should hold it, by its position.
    package var store: UInt16
    /// Whether it is not there at all.
    package var isMissing: Bool
}

/// The workers, as logs and metrics name them.
package enum Worker: String, Sendable, CaseIterable {
    case outbox
    case collector
    case repair
    case scrubber
}
