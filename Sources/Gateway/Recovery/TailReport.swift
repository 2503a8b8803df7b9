/// What the footers of the stores' shards gave that the journal did not have.
package struct TailReport: Sendable, Hashable {
    /// Why something that no commit names was left as it is: an orphan.
    package enum Reason: String, Sendable, CaseIterable {
        /// It was written long before the journal ends: it never became an object, or one that was deleted since.
        case old = "written long before the journal ends"
        /// A later write of the key was acknowledged, which this one would replace.
        case superseded = "followed by a later write that the journal has"
        case condition = "written on a condition that does not hold"
        case bucket = "of buckets that the journal does not know"
        case upload = "of uploads that the journal does not know, or that have ended"
        /// Pieces of objects that were never whole, and what a release wrote whose footers tell no order.
        case silent = "without a footer that says enough"
        /// Some of its shards are missing or damaged, and too few are left.
        case unreadable = "that cannot be read"
        case condemned = "whose blob was being removed"
    }

    /// Blobs whose footers were read.
    package var blobs = 0
    /// Objects that were brought back, and their bytes.
    package var objects = 0
    package var bytes: Int64 = 0
    /// Parts of open uploads that were brought back.
    package var parts = 0
    /// Writes that were found and left, by reason.
    package var left: [Reason: Int] = [:]

    package init() {}

    mutating func leave(_ reason: Reason, _ count: Int = 1) {
        if count > 0 { left[reason, default: 0] += count }
    }
}

/// Why what the footers tell could not be used, or not all of it.
package enum TailRecoveryError: Error, CustomStringConvertible {
    case index(String)
    case stores(String)

    package var description: String {
        switch self {
        case .index(let reason): "the index: \(reason)"
        case .stores(let reason): "the stores: \(reason)"
        }
    }
}
