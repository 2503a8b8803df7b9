import Erasure
import NIOCore
import Primitives
import Storage

extension ErasurePool {
    /// How one shard was rebuilt: nil for one that was written, read back and found to be right.
    struct Rebuilt: Sendable {
        var home: ShardHome
        var error: StorageError?
        /// Whether the other shards are to blame, of which too little could be read.
        var isOfOthers = false
    }

    /// Computes shards of a blob from others and writes them where `targets` say; reads each back before it counts.
    ///
    /// - Parameters:
    ///   - locator: The shards that may be read; those that must not be have an exception without a store.
    ///   - footer: The footer of the blob, as its writer or a sound shard has it.
    ///   - areCopied: Whether the shards can be read where they are, so that the others are read only where that fails.
    func rebuild(
        _ locator: BlobLocator, _ targets: [ShardHome], _ footer: ShardFooter, areCopied: Bool = false
    ) async -> [Rebuilt] {
        guard !targets.isEmpty else { return [] }
        var errors: [StorageError?]
        do throws(StorageError) {
            errors = try await write(locator, targets, footer, areCopied)
        } catch {
            return targets.map { Rebuilt(home: $0, error: error, isOfOthers: true) }
        }
        var rebuilt: [Rebuilt] = []
        for (position, home) in targets.enumerated() {
            guard errors[position] == nil, let store = home.store else {
                rebuilt.append(Rebuilt(home: home, error: errors[position]))
                continue
            }
            #if PLANTED_BUGS
                if PlantedBug.repairTrustsWrite.isPlanted {
                    rebuilt.append(Rebuilt(home: home, error: nil))
                    continue
                }
            #endif
            let found = await scrub(locator, [home])
            if let status = found.first, status.state != .sound || status.root != footer.roots[home.index] {
                errors[position] = .corrupt("shard \(home.index) is not as it was written: \(status.state)")
                await removeQuietly(home.name(of: locator.name), from: store)
            }
            rebuilt.append(Rebuilt(home: home, error: errors[position]))
        }
        return rebuilt
    }

    /// Writes the targets stripe by stripe; the error of each, nil for a durable one.
    private func write(
        _ locator: BlobLocator, _ targets: [ShardHome], _ footer: ShardFooter, _ areCopied: Bool
    ) async throws(StorageError) -> [StorageError?] {
        let layout = try Self.translated { () throws(ErasureError) in
            try ShardLayout(locator.geometry, length: locator.length)
        }
        let headers = targets.map { home in
            ShardHeader(
                deployment: configuration.deployment, name: home.name(of: locator.name), geometry: locator.geometry,
                placementEpoch: locator.placementEpoch
            ).encoded
        }
        let fan = StripeFan(
            headers: headers, needed: 1, geometry: locator.geometry, environment: environment,
            limits: StripeFan.Limits(configuration))
        let number = watchdog.watch(fan)
        defer { watchdog.unwatch(number) }
        for (position, home) in targets.enumerated() {
            guard let store = home.store else { continue }
            let task = launchWriter(fan, position: position, home.index, home.name(of: locator.name), store)
            fan.began(position, task)
        }
        do throws(StorageError) {
            let plan = plan(locator, layout, targets, areCopied)
            try await feed(fan, locator, plan, layout, targets, footer)
        } catch {
            fan.fail(BodyError(.storage, "The other shards could not be read."))
            let errors = await fan.outcomes()
            for (home, failure) in zip(targets, errors) where failure == nil {
                if let store = home.store { await removeQuietly(home.name(of: locator.name), from: store) }
            }
            throw error
        }
        return await fan.outcomes()
    }

    private func feed(
        _ fan: StripeFan, _ locator: BlobLocator, _ plan: GatherPlan, _ layout: ShardLayout, _ targets: [ShardHome],
        _ footer: ShardFooter
    ) async throws(StorageError) {
        let checksums = targets.map { checksum(locator.name, $0.index) }
        var roots = checksums.map(\.emptyRoot)
        if layout.stripes > 0 {
            let gather = gather(locator, layout, plan)
            let number = watchdog.watch(gather)
            defer {
                watchdog.unwatch(number)
                gather.close()
            }
            let wanted = targets.reduce(UInt64(0)) { $0 | 1 << UInt64($1.index) }
            for stripe in 0..<layout.stripes {
                let cells = try await gather.next(stripe, wanted: wanted)
                let size = layout.cellSize(inStripe: stripe)
                try await fan.publish(
                    try pieces(locator.geometry, targets, cells, size, stripe: stripe, checksums, &roots))
            }
        }
        for (home, root) in zip(targets, roots) where root != footer.roots[home.index] {
            throw .corrupt("shard \(home.index) as computed is not the one that was written")
        }
        let footers = try Self.translated { () throws(ErasureError) in
            var footers: [ByteBuffer] = []
            for checksum in checksums { footers.append(try footer.encoded(checksum, stripes: layout.stripes)) }
            return footers
        }
        fan.finish(last: nil, footers: footers)
    }

    /// The cells of the targets in one stripe, with their checksums.
    private func pieces(
        _ geometry: Geometry, _ targets: [ShardHome], _ cells: [Int: GatheredCell], _ size: Int, stripe: Int64,
        _ checksums: [ShardChecksum], _ roots: inout [UInt64]
    ) throws(StorageError) -> SealedStripe {
        var cells = cells
        let missing = targets.map(\.index).filter { cells[$0] == nil }
        if !missing.isEmpty {
            for (shard, bytes) in try decode(geometry, missing, from: cells, cell: size) {
                cells[shard] = GatheredCell(pieces: [bytes])
            }
        }
        var bytes = ByteBuffer()
        bytes.reserveCapacity(targets.count * (size + ShardLayout.checksumSize))
        for (position, home) in targets.enumerated() {
            var sum = checksums[position].begin(stripe: stripe)
            for piece in cells[home.index]?.pieces ?? [] {
                sum = ShardChecksum.continued(sum, over: piece.readableBytesSpan)
                bytes.writeImmutableBuffer(piece)
            }
            bytes.writeInteger(sum)
            roots[position] = ShardChecksum.extended(roots[position], by: sum)
        }
        let pieceSize = size + ShardLayout.checksumSize
        return SealedStripe(bytes: bytes, pieceSize: pieceSize, stride: pieceSize)
    }

    /// Reads k shards to begin with, those that are not to be rebuilt first; or, to copy shards, these alone.
    private func plan(
        _ locator: BlobLocator, _ layout: ShardLayout, _ targets: [ShardHome], _ areCopied: Bool
    ) -> GatherPlan {
        let homes = homes(locator)
        let rebuilt = Set(targets.map(\.index))
        let there = homes.indices.filter { homes[$0].store != nil }
        let (targeted, others) = (there.filter { rebuilt.contains($0) }, there.filter { !rebuilt.contains($0) })
        let candidates = areCopied ? targeted + others : others + targeted
        let first = areCopied ? targeted.count : locator.geometry.dataShards
        let stripes = 0..<layout.stripes
        var begun: [Int: Range<Int64>] = [:]
        for shard in candidates.prefix(first) { begun[shard] = stripes }
        return GatherPlan(
            dataShards: locator.geometry.dataShards, stripes: stripes,
            window: window(locator.geometry, stripes: stripes), homes: homes, candidates: candidates, first: begun,
            patience: configuration.hedgeAfter.nanoseconds)
    }
}
