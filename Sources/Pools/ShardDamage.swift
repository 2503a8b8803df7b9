package import Primitives
import Storage

/// What a read, a scrub or a repair found wrong with a shard.
package struct ShardDamage: Hashable, Sendable {
    package enum Kind: String, Hashable, Sendable {
        /// The store has no such shard.
        case missing
        /// Bytes of the shard fail their checks.
        case corrupt
        /// The store did not answer, or not in time.
        case unavailable
        /// The shard is right, but lies beside a sibling although another store holds none of the blob.
        case crowded
    }

    package var index: UInt8
    /// The store, by its position in the pool's list; nil where no store holds the shard.
    package var store: UInt16?
    package var kind: Kind
    /// What was wrong, for the log.
    package var detail: String

    package init(index: UInt8, store: UInt16?, kind: Kind, detail: String) {
        (self.index, self.store, self.kind, self.detail) = (index, store, kind, detail)
    }

    init(_ home: ShardHome, _ error: StorageError) {
        let kind: Kind =
            switch error {
            case .notFound: .missing
            case .corrupt, .invalidRange: .corrupt
            default: .unavailable
            }
        self.init(
            index: UInt8(truncatingIfNeeded: home.index), store: home.store.map { UInt16(truncatingIfNeeded: $0) },
            kind: kind, detail: error.description)
    }
}

/// Told of each damaged shard that a read meets, so that a repair can be queued. It must return at once.
package typealias DamageReporter = @Sendable (BlobName, ShardDamage) -> Void
