package import Durability
import Erasure
import Pools
package import Primitives

/// What is known of one store of the pool, for a count of what its loss would cost.
package struct StoreView: Sendable, Hashable {
    /// Whether it answers, so that what it holds can be read.
    package var isReached: Bool
    /// Whether it answers before it syncs, so that it may lose what it acknowledged.
    package var isBuffered: Bool
    /// A number that it shares with those that would fail together with it.
    package var domain: Int

    package init(isReached: Bool, isBuffered: Bool = false, domain: Int) {
        (self.isReached, self.isBuffered, self.domain) = (isReached, isBuffered, domain)
    }
}

/// Blobs, and their bytes.
package struct BlobCount: Sendable, Hashable {
    package var blobs = 0
    package var bytes: Int64 = 0

    package init() {}

    mutating func add(_ bytes: Int64) {
        blobs += 1
        self.bytes += bytes
    }
}

/// How far blobs are from their loss, counted one by one.
///
/// A blob's distance is how many shards more it can lose: those that can be read, less k. At 0 the next loss loses it;
/// below that it cannot be read now.
package struct DistanceCensus: Sendable, Hashable {
    /// Blobs of one redundancy, by their distance.
    package struct Distances: Sendable, Hashable {
        package var all = BlobCount()
        package var byDistance: [Int: BlobCount] = [:]
        /// The same, if every store that is buffered lost all that it holds.
        package var withoutBuffered: [Int: BlobCount] = [:]
        /// By how many failure domains may be lost, whichever these are.
        package var byDomains: [Int: BlobCount] = [:]

        package init() {}

        /// The least distance that a blob has; nil where there is none.
        package var least: Int? { byDistance.keys.min() }
    }

    package var byRedundancy: [Redundancy: Distances] = [:]
    /// Blobs that wait to be repaired.
    package var damaged = 0
    /// Blobs whose record makes no sense, so that nobody knows where their shards are.
    package var unreadable = 0
    /// Blobs that no scrub has read yet.
    package var unread = BlobCount()
    /// The blob whose shards were read by a scrub longest ago: since when at the latest.
    package var oldestRead: Timestamp?
    /// Blobs whose shards were not read for longer than was asked about.
    package var overdue = BlobCount()

    /// Bytes of the shards on each store, by its position: those too that are damaged, or that do not answer.
    package var bytesOnStore: [Int: Int64] = [:]

    package init() {}

    /// Blobs in all.
    package var total: BlobCount {
        byRedundancy.values.reduce(into: BlobCount()) { sum, distances in
            sum.blobs += distances.all.blobs
            sum.bytes += distances.all.bytes
        }
    }

    /// Counts a blob.
    ///
    /// - Parameters:
    ///   - homes: The store of each of its shards, by position; nil where none holds it.
    ///   - lost: The shards that are known to be missing or corrupt, a bit each.
    mutating func add(_ locator: BlobLocator, homes: [Int?], lost: UInt64, _ stores: [StoreView]) {
        count(locator, homes)
        let dataShards = locator.geometry.dataShards
        let redundancy = Redundancy(dataShards, locator.geometry.parityShards)
        var (there, durable, domains): (Int, Int, [Int: Int]) = (0, 0, [:])
        for (shard, store) in homes.enumerated() {
            guard let store, store < stores.count, stores[store].isReached else { continue }
            guard shard >= 64 || lost >> UInt64(shard) & 1 == 0 else { continue }
            there += 1
            if !stores[store].isBuffered { durable += 1 }
            domains[stores[store].domain, default: 0] += 1
        }
        var distances = byRedundancy[redundancy] ?? Distances()
        distances.all.add(locator.length)
        distances.byDistance[there - dataShards, default: BlobCount()].add(locator.length)
        distances.withoutBuffered[durable - dataShards, default: BlobCount()].add(locator.length)
        let spare = Self.spareDomains(domains.values, margin: there - dataShards)
        distances.byDomains[spare, default: BlobCount()].add(locator.length)
        byRedundancy[redundancy] = distances
    }

    /// Counts the bytes of a blob's shards, without the recovery record, whose length its record does not tell.
    private mutating func count(_ locator: BlobLocator, _ homes: [Int?]) {
        let bytes: Int64
        do throws(ErasureError) {
            bytes =
                try ShardLayout(locator.geometry, length: locator.length).footerOffset
                + Int64(ShardFooter.size(shards: locator.geometry.shards, recovery: 0))
        } catch {
            return  // No blob is of such a length.
        }
        for case let store? in homes { bytesOnStore[store, default: 0] += bytes }
    }

    /// How many domains may be lost whichever they are: those that hold most are lost first.
    private static func spareDomains(_ held: some Collection<Int>, margin: Int) -> Int {
        guard margin >= 0 else { return margin }
        var (rest, spare) = (margin, 0)
        for shards in held.sorted(by: >) {
            rest -= shards
            guard rest >= 0 else { break }
            spare += 1
        }
        return spare
    }

    /// Counts when a blob was read by a scrub.
    ///
    /// - Parameter limit: What was read before is overdue.
    mutating func add(read: Timestamp?, bytes: Int64, overdueBefore limit: Timestamp) {
        guard let read else {
            unread.add(bytes)
            return
        }
        if oldestRead.map({ read < $0 }) ?? true { oldestRead = read }
        if read < limit { overdue.add(bytes) }
    }
}
