/// Which shards a read begins with: the data shards of its range, since what they hold needs no decoding, unless others
/// are expected to be clearly faster. The page Slow stores of Decisions has the rule.
struct FirstReaders: Sendable, Hashable {
    /// One shard of the blob, as a read sees it.
    struct Shard: Sendable, Hashable {
        /// The stripes of which the range needs its cells; nil for none.
        var stripes: Range<Int64>?
        /// Whether its store is there and did not fail lately.
        var isUsable: Bool
        /// Within what its store is expected to answer, in nanoseconds.
        var likely: ClosedRange<UInt64>
    }

    /// A shard is clearly slower than another one where it takes more than twice as long, and so much longer.
    static let margin: UInt64 = 5_000_000

    /// What each of the first readers is to read, by shard.
    private(set) var ranges: [Int: Range<Int64>] = [:]
    /// Data shards of the range that are left out since they are slow.
    private(set) var slow: [Int] = []
    /// All shards, in the order in which others are to be tried: the fastest first, those that failed lately last.
    let candidates: [Int]

    /// - Parameters:
    ///   - dataShards: k, at least 1.
    ///   - hedge: How long a read waits at most before it reads others beside a shard, in nanoseconds.
    init(dataShards: Int, _ shards: [Shard], hedge: UInt64) {
        candidates = shards.indices.sorted { left, right in
            let (a, b) = (shards[left], shards[right])
            return (a.isUsable ? 0 : 1, a.likely.upperBound, left) < (b.isUsable ? 0 : 1, b.likely.upperBound, right)
        }
        let wanted = shards.indices.filter { shards[$0].stripes != nil }
        var kept = wanted.filter { shards[$0].isUsable }
        let spares = candidates.filter { shards[$0].isUsable && shards[$0].stripes == nil }
        var isDecoded = kept.count < wanted.count
        for shard in kept.sorted(by: { shards[$0].likely.lowerBound > shards[$1].likely.lowerBound }) {
            let needed = max(1, dataShards - kept.count + 1)
            guard needed <= spares.count else { break }
            let time = shards[shard].likely.lowerBound
            let other = shards[spares[needed - 1]].likely.upperBound
            guard time > other, time - other > max(other, Self.margin) else { break }
            isDecoded = isDecoded || Self.isCheap(without: shard, wanted, shards, dataShards)
            guard isDecoded || time - other > hedge else { break }
            kept.removeAll { $0 == shard }
            slow.append(shard)
            isDecoded = true
        }
        let decoded = wanted.filter { !kept.contains($0) }.compactMap { shards[$0].stripes }
        let span = decoded.reduce(nil) { Self.hull($0, $1) }
        for shard in kept {
            if let stripes = shards[shard].stripes { ranges[shard] = Self.hull(span, stripes) }
        }
        if let span {
            for shard in spares.prefix(max(0, dataShards - kept.count)) { ranges[shard] = span }
        }
    }

    /// Has one of the slow shards read too, as much as shows how fast its store is.
    mutating func attempt(_ shard: Int, _ stripes: Range<Int64>) {
        ranges[shard] = stripes.lowerBound..<min(stripes.upperBound, stripes.lowerBound + 1)
    }

    /// Whether to decode the cells of a shard takes hardly more bytes than to read them: at most a quarter more.
    private static func isCheap(
        without shard: Int, _ wanted: [Int], _ shards: [Shard], _ dataShards: Int
    ) -> Bool {
        guard let span = shards[shard].stripes else { return false }
        let plain = wanted.reduce(0) { $0 + (shards[$1].stripes?.count ?? 0) }
        let others = wanted.filter { $0 != shard }
        let decoding = others.reduce(0) { $0 + hull(span, shards[$1].stripes ?? span).count }
        return (decoding + max(0, dataShards - others.count) * span.count) * 4 <= plain * 5
    }

    private static func hull(_ one: Range<Int64>?, _ other: Range<Int64>) -> Range<Int64> {
        guard let one else { return other }
        return min(one.lowerBound, other.lowerBound)..<max(one.upperBound, other.upperBound)
    }
}
