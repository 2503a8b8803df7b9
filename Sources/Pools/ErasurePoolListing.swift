package import Erasure
import NIOCore
package import Primitives
package import Storage

/// A blob as it was found by looking for its shards.
package struct LocatedBlob: Sendable {
    package var locator: BlobLocator
    /// The recovery record that its writer gave.
    package var recovery: [UInt8]
}

/// A shard that a store lists.
private struct Found: Sendable {
    var store: Int
    var summary: BlobSummary
    var shard: BlobName.Shard
}

/// A blob of which stores list shards.
package struct ListedBlob: Sendable {
    package let name: BlobName
    fileprivate let found: [Found]
    /// Stores that did not answer.
    fileprivate let away: Set<Int>
    /// Whether `found` has all that the other stores list of it.
    fileprivate let isWhole: Bool
}

extension ErasurePool {
    /// Bytes at the end of a shard that are read at once to find its footer: a small shard whole.
    private static let tailBytes: Int64 = 16 << 10

    /// Rebuilds what the index knows of a blob from one of its shards alone.
    ///
    /// The locator has no exceptions: where the other shards lie is not written in this one (`locate` looks for them).
    ///
    /// - Parameter shard: As the store lists it.
    /// - Throws: `corrupt` where header or footer is not sound; whatever the store throws.
    package static func readLocator(
        from store: any BlobStore, shard: BlobSummary, deployment: DeploymentID
    ) async throws(StorageError) -> LocatedBlob {
        guard let index = shard.name.shard?.index else { throw .corrupt("not a shard") }
        let checksum = ShardChecksum(deployment: deployment, blob: shard.name, shard: Int(index))
        guard shard.length >= ShardHeader.size + ShardFooter.trailerSize else {
            throw .corrupt("too short for a shard")
        }
        // Each question may take long, so that few are asked.
        let tail = shard.length - min(shard.length, tailBytes)..<shard.length
        let end = try await bytes(store, shard.name, range: tail)
        let trailer = try trailer(end, checksum)
        let headerBytes = try await part(0..<Int64(ShardHeader.size), of: end, at: tail, store, shard.name)
        let header = try translated { () throws(ErasureError) in try ShardHeader(decoding: headerBytes) }
        guard header.name == shard.name, header.deployment == deployment else {
            throw .corrupt("the header is that of another shard")
        }
        let start = shard.length - Int64(trailer.footerSize)
        let offset = try translated { () throws(ErasureError) in
            try ShardLayout(header.geometry, length: trailer.length).footerOffset
        }
        guard start == offset else { throw .corrupt("the shard is not as long as its footer says") }
        let footerBytes = try await part(start..<shard.length, of: end, at: tail, store, shard.name)
        let footer = try translated { () throws(ErasureError) in
            try ShardFooter(decoding: footerBytes, checksum, geometry: header.geometry)
        }
        let locator = BlobLocator(
            name: shard.name, length: footer.length, geometry: header.geometry,
            placementEpoch: header.placementEpoch)
        return LocatedBlob(locator: locator, recovery: footer.recovery)
    }

    /// Bytes of a shard, of which some were read already.
    private static func part(
        _ range: Range<Int64>, of known: ByteBuffer, at place: Range<Int64>, _ store: any BlobStore, _ name: BlobName
    ) async throws(StorageError) -> ByteBuffer {
        guard range.lowerBound >= place.lowerBound,
            let part = known.getSlice(
                at: known.readerIndex + Int(range.lowerBound - place.lowerBound), length: range.count)
        else { return try await bytes(store, name, range: range) }
        return part
    }

    /// The trailer at the end of some bytes.
    private static func trailer(
        _ end: ByteBuffer, _ checksum: ShardChecksum
    ) throws(StorageError) -> ShardFooter.Trailer {
        guard let bytes = end.getSlice(at: end.writerIndex - ShardFooter.trailerSize, length: ShardFooter.trailerSize)
        else { throw .corrupt("too short for a shard") }
        return try translated { () throws(ErasureError) in try ShardFooter.Trailer(decoding: bytes, checksum) }
    }

    /// Finds a blob by asking every store for its shards.
    ///
    /// Of several attempts to store a shard the last counts.
    ///
    /// - Throws: `notFound`; `quorum` where no shard is found but stores do not answer; `corrupt` where no shard that
    ///   is found is sound.
    package func locate(_ name: BlobName) async throws(StorageError) -> LocatedBlob {
        let (found, away) = await shards(of: name.whole)
        return try await located(found, away)
    }

    /// Finds a blob by the shards that stores list of it.
    ///
    /// - Throws: As `locate` of a name.
    package func locate(_ blob: ListedBlob) async throws(StorageError) -> LocatedBlob {
        guard blob.isWhole else { return try await locate(blob.name) }
        return try await located(blob.found, blob.away)
    }

    private func located(_ found: [Found], _ away: Set<Int>) async throws(StorageError) -> LocatedBlob {
        guard !found.isEmpty else {
            if away.isEmpty { throw .notFound }
            throw .quorum(up: members.stores.count - away.count, needed: members.stores.count)
        }
        var failure = StorageError.notFound
        for each in found {
            let deployment = configuration.deployment
            do throws(StorageError) {
                var located = try await call(each.store) { base, _ throws(StorageError) in
                    try await Self.readLocator(from: base, shard: each.summary, deployment: deployment)
                }
                located.locator.exceptions = exceptions(located.locator, found, away)
                return located
            } catch {
                failure = error
            }
        }
        throw failure
    }

    /// What differs from the placement in where the shards were found.
    private func exceptions(_ locator: BlobLocator, _ found: [Found], _ away: Set<Int>) -> [ShardException] {
        homes(locator).compactMap { home in
            let all = found.filter { Int($0.shard.index) == home.index }
            guard let best = all.max(by: { $0.shard.attempt < $1.shard.attempt }) else {
                let mayBeThere = home.store.map(away.contains) ?? false
                return mayBeThere
                    ? nil : ShardException(index: UInt8(truncatingIfNeeded: home.index), store: nil, attempt: 0)
            }
            if best.shard.attempt == 0, all.contains(where: { $0.store == home.store && $0.shard.attempt == 0 }) {
                return nil
            }
            return ShardException(
                index: best.shard.index, store: UInt16(truncatingIfNeeded: best.store), attempt: best.shard.attempt)
        }
    }

    /// All shards of a blob that stores list, and the stores that did not answer.
    private func shards(of name: BlobName) async -> (found: [Found], away: Set<Int>) {
        var calls = StoreCalls<[BlobSummary]>(self)
        for store in members.stores.indices {
            calls.begin(store) { base, _ throws(StorageError) in
                var all: [BlobSummary] = []
                while true {
                    // A store holds few shards of a blob, so that one page is nearly always enough.
                    let page = try await base.blobs(after: all.last?.name ?? name, limit: 16)
                    let ours = page.prefix { $0.name.whole == name }
                    all += ours
                    if ours.count < 16 { return all }
                }
            }
        }
        var (found, away): ([Found], Set<Int>) = ([], [])
        for (store, result) in await calls.results() {
            switch result {
            case .success(let summaries):
                for summary in summaries {
                    if let shard = summary.name.shard {
                        found.append(Found(store: store, summary: summary, shard: shard))
                    }
                }
            case .failure: away.insert(store)
            }
        }
        return (found, away)
    }

    /// Removes every shard of a blob, everywhere that its locator says it may lie.
    ///
    /// - Throws: `unavailable` where a store could not be reached: what can be removed is, and the call is to be
    ///   repeated.
    package func remove(_ locator: BlobLocator) async throws(StorageError) {
        var homes = Set(homes(locator))
        for exception in locator.exceptions {
            // Earlier attempts may lie at home or where the last one lies.
            let index = Int(exception.index)
            let order = order(locator)
            let natural = Int(order[index % order.count])
            for attempt in 0...exception.attempt {
                homes.insert(ShardHome(index: index, store: natural, attempt: attempt))
                // A store that the pool does not have holds nothing that could be removed now.
                if let store = exception.store, Int(store) < members.stores.count {
                    homes.insert(ShardHome(index: index, store: Int(store), attempt: attempt))
                }
            }
        }
        try await remove(locator.name, Array(homes))
    }

    /// Removes shards from their stores, side by side.
    func remove(_ name: BlobName, _ homes: [ShardHome]) async throws(StorageError) {
        var calls = StoreCalls<Void>(self)
        for home in homes {
            guard let store = home.store else { continue }
            let shard = home.name(of: name)
            calls.begin(store) { base, _ throws(StorageError) in try await base.delete(shard) }
        }
        for (_, result) in await calls.results() { try result.get() }
    }

    /// Removes whatever shards of a blob the stores list.
    func removeEverywhere(_ name: BlobName) async throws(StorageError) {
        let (found, away) = await shards(of: name.whole)
        let homes = found.map { ShardHome(index: Int($0.shard.index), store: $0.store, attempt: $0.shard.attempt) }
        try await remove(name.whole, homes)
        if !away.isEmpty { throw .unavailable("\(away.count) stores do not answer") }
    }

    /// Blobs of which some store has a shard, in order. The length is the blob's own, from the trailer of a shard; 0
    /// where no trailer is sound.
    ///
    /// - Throws: `quorum` where more stores than blobs have parity shards do not answer.
    func summaries(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        var blobs: [BlobSummary] = []
        for blob in try await listing(after: after, limit: limit) {
            blobs.append(BlobSummary(name: blob.name, length: await length(of: blob.found)))
        }
        return blobs
    }

    /// Blobs of which some store has a shard, in order; nothing is read of them.
    ///
    /// - Throws: `quorum` where more stores than blobs have parity shards do not answer.
    package func listing(after: BlobName?, limit: Int) async throws(StorageError) -> [ListedBlob] {
        guard limit > 0 else { return [] }
        // Shards of one blob follow one another, so that this page of shards holds `limit` blobs at least.
        let page = limit.multipliedReportingOverflow(by: configuration.geometry.shards)
        let size = min(page.overflow ? .max : page.partialValue, 10_000)
        let start = after.map { $0.whole.shard(.max, attempt: .max) }
        var calls = StoreCalls<[BlobSummary]>(self)
        for store in members.stores.indices {
            calls.begin(store) { base, _ throws(StorageError) in try await base.blobs(after: start, limit: size) }
        }
        var (found, horizon, away): ([BlobName: [Found]], BlobName?, Set<Int>) = ([:], nil, [])
        for (store, result) in await calls.results() {
            guard case .success(let summaries) = result else {
                away.insert(store)
                continue
            }
            // Beyond the end of the shortest full page, blobs may be missing.
            if summaries.count == size, let last = summaries.last?.name.whole {
                horizon = horizon.map { min($0, last) } ?? last
            }
            for summary in summaries {
                guard let shard = summary.name.shard else { continue }
                found[summary.name.whole, default: []].append(Found(store: store, summary: summary, shard: shard))
            }
        }
        guard away.count <= configuration.geometry.parityShards else {
            throw .quorum(
                up: members.stores.count - away.count,
                needed: members.stores.count - configuration.geometry.parityShards)
        }
        let whole = found.keys.sorted().prefix(limit).prefix { name in horizon.map { name <= $0 } ?? true }
        // Of the last one, a full page may have only some.
        return whole.map { name in
            ListedBlob(name: name, found: found[name] ?? [], away: away, isWhole: horizon.map { name < $0 } ?? true)
        }
    }

    private func length(of shards: [Found]) async -> Int64 {
        for shard in shards {
            let checksum = checksum(shard.summary.name, Int(shard.shard.index))
            do throws(StorageError) {
                return try await call(shard.store) { base, _ throws(StorageError) in
                    let (name, end) = (shard.summary.name, shard.summary.length)
                    let start = end - Int64(ShardFooter.trailerSize)
                    guard start >= 0 else { throw .corrupt("too short for a shard") }
                    return try Self.trailer(try await Self.bytes(base, name, range: start..<end), checksum).length
                }
            } catch {
                continue  // Another shard may have a sound trailer.
            }
        }
        return 0
    }
}
