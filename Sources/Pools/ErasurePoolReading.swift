import Erasure
import NIOCore
package import Primitives
package import Storage

extension ErasurePool {
    /// Writes a range of a blob to a sink in order, reading only the cells that it needs and checking each before it
    /// leaves.
    ///
    /// Missing, corrupt and late shards are decoded around and reported, as long as k cells of each stripe are good.
    ///
    /// - Throws: `invalidRange`; `sink` where the sink failed or the task was cancelled; with fewer than k good cells
    ///   `notFound` where no store has any shard, `quorum` where stores do not answer, and `corrupt` otherwise.
    package func fetch(
        _ locator: BlobLocator, range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError) {
        guard range.lowerBound >= 0, range.upperBound <= locator.length else { throw .invalidRange }
        guard !range.isEmpty else { return }
        let reading = try Reading(locator, range: range)
        if let buffers = fetchAtOnce(locator, reading) { return try await Self.write(buffers, into: &sink) }
        let gather = gather(locator, reading.layout, plan(locator, reading))
        let number = watchdog.watch(gather)
        defer {
            watchdog.unwatch(number)
            gather.close()
            report(locator.name, gather)
        }
        for stripe in reading.stripes {
            let cells = try await gather.next(stripe, wanted: reading.wanted(stripe))
            try await Self.write(try buffers(of: reading, stripe: stripe, cells: cells), into: &sink)
        }
    }

    private static func write(
        _ buffers: [ByteBuffer], into sink: inout any BodySink
    ) async throws(StorageError) {
        for buffer in buffers {
            do throws(BodyError) {
                try await sink.write(buffer)
            } catch {
                throw .sink(error)
            }
        }
    }

    /// Bytes of cells that are read on the caller's thread at most.
    private static let atOnceBytes = 192 << 10

    /// The bytes of a small range, where every store that holds a part of it can give that without waiting, and all is
    /// well with it. Nil says nothing of the blob: whatever is amiss is found, and told of, by the gather.
    private func fetchAtOnce(_ locator: BlobLocator, _ reading: Reading) -> [ByteBuffer]? {
        let geometry = reading.layout.geometry
        guard reading.stripes.count * geometry.dataShards * reading.largestCell <= Self.atOnceBytes else { return nil }
        let order = order(locator)
        let now = environment.monotonicNanoseconds()
        var buffers: [ByteBuffer] = []
        for stripe in reading.stripes {
            for part in reading.parts(stripe) {
                let home = home(part.shard, locator, order)
                guard let store = home.store, isReadable(store, now),
                    let cell = cellAtOnce(home, of: locator.name, reading.layout, stripe),
                    let wanted = cell.getSlice(at: cell.readerIndex + part.range.lowerBound, length: part.range.count)
                else { return nil }
                note(store, nil)
                buffers.append(wanted)
            }
        }
        return buffers
    }

    /// A cell that has passed its check.
    private func cellAtOnce(
        _ home: ShardHome, of name: BlobName, _ layout: ShardLayout, _ stripe: Int64
    ) -> ByteBuffer? {
        guard let store = home.store else { return nil }
        let (start, size) = (layout.offset(ofStripe: stripe), layout.cellSize(inStripe: stripe))
        do throws(StorageError) {
            let range = start..<start + Int64(size + ShardLayout.checksumSize)
            guard var bytes = try members.stores[store].readAtOnce(home.name(of: name), range: range),
                let cell = bytes.readSlice(length: size), let stored = bytes.readInteger(as: UInt64.self),
                checksum(name, home.index).ofCell(cell.readableBytesSpan, stripe: stripe) == stored
            else { return nil }
            return cell
        } catch {
            return nil  // The gather meets it again, and tells of it.
        }
    }

    /// The bytes of the range within a stripe, decoded where cells are missing.
    private func buffers(
        of reading: Reading, stripe: Int64, cells: [Int: GatheredCell]
    ) throws(StorageError) -> [ByteBuffer] {
        let parts = reading.parts(stripe)
        let missing = parts.map(\.shard).filter { cells[$0] == nil }
        var cells = cells
        if !missing.isEmpty {
            let cell = reading.layout.cellSize(inStripe: stripe)
            for (shard, bytes) in try decode(reading.layout.geometry, missing, from: cells, cell: cell) {
                cells[shard] = GatheredCell(pieces: [bytes])
            }
        }
        return parts.flatMap { cells[$0.shard]?.slices($0.range) ?? [] }
    }

    /// Computes cells of a stripe from k others.
    func decode(
        _ geometry: Geometry, _ wanted: [Int], from cells: [Int: GatheredCell], cell: Int
    ) throws(StorageError) -> [(shard: Int, bytes: ByteBuffer)] {
        let present = Array(cells.keys.sorted().prefix(geometry.dataShards))
        let code = try code(geometry)
        let stride = ErasureCode.stride(ofCells: cell)
        var buffer = ByteBuffer()
        buffer.reserveCapacity((present.count + wanted.count) * stride)
        for (position, shard) in present.enumerated() {
            for piece in cells[shard]?.pieces ?? [] { buffer.writeImmutableBuffer(piece) }
            guard buffer.writerIndex == position * stride + cell else {
                throw .corrupt("a cell of shard \(shard) does not have \(cell) bytes")
            }
            buffer.writeRepeatingByte(0, count: stride - cell)
        }
        // What is there now is overwritten whole.
        buffer.moveWriterIndex(forwardBy: wanted.count * stride)
        try Self.translated { () throws(ErasureError) in
            try code.reconstruct(wanted, from: present, cells: &buffer, cell: cell, stride: stride)
        }
        return wanted.enumerated().map { position, shard in
            (shard, buffer.getSlice(at: (present.count + position) * stride, length: cell) ?? ByteBuffer())
        }
    }

    /// Which shards to read first, and which then.
    private func plan(_ locator: BlobLocator, _ reading: Reading) -> GatherPlan {
        let homes = homes(locator)
        let now = environment.monotonicNanoseconds()
        let likely = pace.likely(homes, now: now)
        let shards = homes.map { home in
            FirstReaders.Shard(
                stripes: home.index < locator.geometry.dataShards ? reading.stripes(ofShard: home.index) : nil,
                isUsable: home.store.map { isReadable($0, now) } ?? false, likely: likely[home.index])
        }
        let hedge = configuration.hedgeAfter.nanoseconds
        var readers = FirstReaders(dataShards: locator.geometry.dataShards, shards, hedge: hedge)
        let patience = pace.patience(readers.ranges.keys.compactMap { homes[$0].store }, most: hedge, now: now)
        for shard in readers.slow {
            guard let store = homes[shard].store, let stripes = shards[shard].stripes else { continue }
            if pace.passedOver(store, now: now) { readers.attempt(shard, stripes) }
        }
        return GatherPlan(
            dataShards: locator.geometry.dataShards, stripes: reading.stripes,
            window: window(locator.geometry, stripes: reading.stripes), homes: homes,
            candidates: readers.candidates.filter { homes[$0].store != nil }, first: readers.ranges,
            patience: patience)
    }

    /// Stripes that readers may be ahead.
    func window(_ geometry: Geometry, stripes: Range<Int64>) -> Int {
        let ahead = (configuration.readAhead + geometry.stripeSize - 1) / geometry.stripeSize
        return max(1, min(max(2, ahead), stripes.count, 1024))
    }

    /// A gather whose readers read from this pool's stores.
    func gather(
        _ locator: BlobLocator, _ layout: ShardLayout, _ plan: GatherPlan
    ) -> StripeGather {
        let limits = StripeGather.Limits(
            hedge: configuration.hedgeAfter.nanoseconds, deadline: configuration.shardDeadline.nanoseconds)
        return StripeGather(plan, environment: environment, limits: limits, pace: pace) { [self] gather, reader in
            launcher { [self] in
                let error = await read(locator.name, reader, layout: layout, into: gather)
                gather.ended(reader.number, error)
            }
        }
    }

    /// Reads some cells of a shard into a gather; returns why it could not.
    private func read(
        _ name: BlobName, _ reader: GatherReader, layout: ShardLayout, into gather: StripeGather
    ) async -> StorageError? {
        guard let store = reader.home.store else { return .notFound }
        let range =
            layout.offset(ofStripe: reader.stripes.lowerBound)..<layout.offset(ofStripe: reader.stripes.upperBound)
        var sink: any BodySink = ShardSink(
            gather, reader, layout: layout, checksum: checksum(name, reader.home.index))
        do throws(StorageError) {
            try await members.stores[store].read(reader.home.name(of: name), range: range, into: &sink)
            note(store, nil)
            return nil
        } catch .sink {
            return nil  // The gather wants no more: no fault of the store.
        } catch {
            return error
        }
    }

    /// Tells of what a gather met, and remembers the stores that did not answer.
    func report(_ name: BlobName, _ gather: StripeGather) {
        for damage in gather.takeDamage() {
            if damage.kind == .unavailable, let store = damage.store {
                health.failed(Int(store), now: environment.monotonicNanoseconds())
            }
            reporter(name, damage)
        }
    }
}

/// A range of a blob, in terms of stripes and cells.
private struct Reading {
    let layout: ShardLayout
    let range: Range<Int64>
    let stripes: Range<Int64>

    /// - Parameter range: Not empty, and within the blob.
    init(_ locator: BlobLocator, range: Range<Int64>) throws(StorageError) {
        let layout = try ErasurePool.translated { () throws(ErasureError) in
            try ShardLayout(locator.geometry, length: locator.length)
        }
        (self.layout, self.range) = (layout, range)
        stripes = layout.stripe(of: range.lowerBound)..<layout.stripe(of: range.upperBound - 1) + 1
    }

    /// Bytes of the largest cell of the stripes.
    var largestCell: Int { layout.cellSize(inStripe: stripes.lowerBound) }

    /// The parts of the range that a stripe holds: which bytes of the cells of which data shards, in order.
    func parts(_ stripe: Int64) -> [(shard: Int, range: Range<Int>)] {
        let start = stripe * Int64(layout.geometry.stripeSize)
        let wanted =
            Int(
                max(0, range.lowerBound - start))..<Int(
                min(Int64(layout.bytes(inStripe: stripe)), range.upperBound - start))
        let cell = layout.cellSize(inStripe: stripe)
        return (wanted.lowerBound / cell...(wanted.upperBound - 1) / cell).map { shard in
            let part = wanted.clamped(to: shard * cell..<(shard + 1) * cell)
            return (shard, part.lowerBound - shard * cell..<part.upperBound - shard * cell)
        }
    }

    /// The data shards of whose cells the range needs bytes.
    func wanted(_ stripe: Int64) -> UInt64 {
        parts(stripe).reduce(0) { $0 | 1 << UInt64($1.shard) }
    }

    /// The stripes in which the range needs bytes of a data shard.
    func stripes(ofShard shard: Int) -> Range<Int64>? {
        var (first, last) = (stripes.lowerBound, stripes.upperBound - 1)
        if wanted(first) >> UInt64(shard) & 1 == 0 { first += 1 }
        if wanted(last) >> UInt64(shard) & 1 == 0 { last -= 1 }
        return first <= last ? first..<last + 1 : nil
    }
}
