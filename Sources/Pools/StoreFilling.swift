import Synchronization

/// What a store holds, and what it can hold, in bytes.
package struct StoreSpace: Hashable, Sendable {
    /// What is taken, by whomever.
    package var used: Int64
    /// What there is for what is taken and what may be written still; nil where nobody said.
    package var capacity: Int64?

    package init(used: Int64, capacity: Int64?) {
        (self.used, self.capacity) = (used, capacity)
    }

    /// What may be written still; nil where nobody said how much there is.
    package var available: Int64? { capacity.map { max(0, $0 - used) } }

    /// How much of the capacity is taken: more than 100 where what was said is less than what is held.
    package var percent: Double? {
        capacity.map { $0 > 0 ? Double(used) * 100 / Double($0) : 100 }
    }
}

/// How full a store is, by the marks of the configuration.
package enum FillLevel: String, Sendable, Comparable, CaseIterable {
    case normal
    /// Somebody should know.
    case nearlyFull = "nearly full"
    /// It is given new shards only where the others have no room for a whole blob.
    case full

    package static func < (left: FillLevel, right: FillLevel) -> Bool { left.rank < right.rank }

    private var rank: Int {
        switch self {
        case .normal: 0
        case .nearlyFull: 1
        case .full: 2
        }
    }
}

/// How full each store is, as far as that is known.
///
/// Writes ask it for each blob, so that the usual answer, that no store is full, takes no lock.
package final class StoreFilling: Sendable {
    /// Percentage points that a store must fall below a mark to be no more above it: what comes and goes at a mark is
    /// told once.
    package static let slack = 2.0

    private struct Record {
        var space: StoreSpace?
        var level = FillLevel.normal
    }

    private let nearlyFullFrom: Double
    private let fullFrom: Double
    private let records = Mutex<[Int: Record]>([:])
    private let isAnyFull = Atomic<Bool>(false)

    /// - Parameters:
    ///   - nearlyFullFrom: Percent of its capacity from which on a store is nearly full.
    ///   - fullFrom: The same from which on it is full.
    package init(nearlyFullFrom: Int, fullFrom: Int) {
        (self.nearlyFullFrom, self.fullFrom) = (Double(nearlyFullFrom), Double(fullFrom))
    }

    /// Notes what was found of a store; nil where nothing is known of it any more.
    ///
    /// - Returns: Its level, where that is another one than before.
    package func note(_ store: Int, _ space: StoreSpace?) -> FillLevel? {
        records.withLock { records in
            let before = records[store]?.level ?? .normal
            let level = level(space?.percent, before)
            records[store] = Record(space: space, level: level)
            isAnyFull.store(records.values.contains { $0.level == .full }, ordering: .relaxed)
            return level == before ? nil : level
        }
    }

    private func level(_ percent: Double?, _ before: FillLevel) -> FillLevel {
        guard let percent else { return .normal }
        let isAbove = { (mark: Double, level: FillLevel) in
            percent >= mark || before >= level && percent > mark - Self.slack
        }
        if isAbove(fullFrom, .full) { return .full }
        return isAbove(nearlyFullFrom, .nearlyFull) ? .nearlyFull : .normal
    }

    /// Whether a store is to be given new shards only where the others have no room.
    package func isFull(_ store: Int) -> Bool {
        guard isAnyFull.load(ordering: .relaxed) else { return false }
        return level(of: store) == .full
    }

    package func level(of store: Int) -> FillLevel { records.withLock { $0[store]?.level ?? .normal } }

    /// What was found of a store last; nil where nothing was.
    package func space(of store: Int) -> StoreSpace? { records.withLock { $0[store]?.space } }

    /// Stores that are at a level or above.
    package func count(from level: FillLevel) -> Int {
        records.withLock { $0.values.count { $0.level >= level } }
    }
}
