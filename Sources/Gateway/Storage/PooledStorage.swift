package import Erasure
package import Metadata
import NIOCore
package import Pools
package import Primitives
package import Storage

/// The bytes of objects in an erasure-coded pool.
package struct PooledStorage: ObjectStorage {
    /// No blob is longer, so that repairing or moving one is a bounded piece of work.
    private static let segmentSize: Int64 = 1 << 30

    private let pool: ErasurePool
    private let packer: Packer?
    private let index: any MetadataIndex
    private let environment: any Environment
    private let commits: CommitService
    private let foreign: any ForeignObjects

    /// - Parameters:
    ///   - packer: takes small objects; without one, each has a blob of its own.
    ///   - index: where the blobs' records are.
    ///   - foreign: what was adopted and stays where it is.
    package init(
        pool: ErasurePool, packer: Packer?, index: any MetadataIndex, environment: any Environment,
        commits: CommitService, foreign: any ForeignObjects = NoForeignObjects()
    ) {
        (self.pool, self.packer, self.index) = (pool, packer, index)
        (self.environment, self.commits, self.foreign) = (environment, commits, foreign)
    }

    package func mayShare(length: Int64?) -> Bool {
        guard let packer else { return false }
        return length.map { $0 <= Int64(packer.limits.objectBytes) } ?? true
    }

    package func store(
        _ body: consuming Body, length: Int64?, group: UInt64,
        recovery: @escaping @Sendable (_ earlier: [BlobName]) -> [UInt8]
    ) async throws(StorageError) -> [Segment] {
        if let packer {
            guard let length else {
                return try await storeUnknown(body, in: packer, group: group, recovery: recovery)
            }
            if mayShare(length: length) {
                return try await storeSmall(body, limit: Int(length), in: packer, group: group, recovery: recovery)
            }
        }
        guard let length, length <= Self.segmentSize else {
            return try await storeLong(body, length: length, recovery: recovery)
        }
        let locator = try await pool.store(drawName(), body) { recovery([]) }
        return [segment(locator, offset: 0, length: locator.length)]
    }

    /// An object that shares a blob, and the syncs that it costs, with others that arrive at the same time.
    private func storeSmall(
        _ body: consuming Body, limit: Int, in packer: Packer, group: UInt64,
        recovery: @escaping @Sendable ([BlobName]) -> [UInt8]
    ) async throws(StorageError) -> [Segment] {
        let bytes: ByteBuffer
        do {
            bytes = try await body.collect(limit: limit)
        } catch {
            throw .source(error)
        }
        return try await pack(bytes, in: packer, group: group, recovery: recovery)
    }

    /// An object whose length nobody tells beforehand, such as a form's file: it is read as far as small ones go, to
    /// learn whether it is one.
    private func storeUnknown(
        _ body: consuming Body, in packer: Packer, group: UInt64, recovery: @escaping @Sendable ([BlobName]) -> [UInt8]
    ) async throws(StorageError) -> [Segment] {
        var source = body.takeSource()
        var beginning = ByteBuffer()
        while beginning.readableBytes <= packer.limits.objectBytes {
            let next: ByteBuffer?
            do throws(BodyError) {
                next = try await source.next()
            } catch {
                throw .source(error)
            }
            guard var next else { return try await pack(beginning, in: packer, group: group, recovery: recovery) }
            beginning.writeBuffer(&next)
        }
        let resumed = ResumedSource(beginning: beginning, rest: source)
        return try await storeLong(Body(length: nil, source: resumed), length: nil, recovery: recovery)
    }

    private func pack(
        _ bytes: ByteBuffer, in packer: Packer, group: UInt64, recovery: @escaping @Sendable ([BlobName]) -> [UInt8]
    ) async throws(StorageError) -> [Segment] {
        guard bytes.readableBytes > 0 else { return [] }
        let packed = try await packer.pack(
            bytes, group: PackGroup(Keys.bigEndian(group)), recovery: recovery([]))
        return [segment(packed.locator, offset: packed.offset, length: Int64(bytes.readableBytes))]
    }

    /// An object of several blobs, or of unknown length.
    private func storeLong(
        _ body: consuming Body, length: Int64?, recovery: @escaping @Sendable ([BlobName]) -> [UInt8]
    ) async throws(StorageError) -> [Segment] {
        let source = SharedSource(body.takeSource())
        var segments: [Segment] = []
        do {
            repeat {
                let piece = Body(length: nil, source: PieceSource(source: source, rest: Self.segmentSize))
                let earlier = segments.map(\.blob)
                let locator = try await pool.store(drawName(), piece) { recovery(earlier) }
                segments.append(segment(locator, offset: 0, length: locator.length))
            } while await !source.hasEnded
        } catch {
            await discard(segments)
            throw error
        }
        return segments
    }

    package func fetch(
        _ segment: Segment, range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError) {
        if let place = segment.foreign {
            let start = place.offset + range.lowerBound
            return try await foreign.read(place, range: start..<place.offset + range.upperBound, into: &sink)
        }
        let locator = try Self.locator(segment, at: try await location(of: segment))
        try await pool.fetch(
            locator, range: (range.lowerBound + segment.offset)..<(range.upperBound + segment.offset), into: &sink)
    }

    package func discard(_ segments: [Segment]) async {
        for segment in segments where segment.foreign == nil {
            do {
                if segment.sharesBlob {
                    var changes = Changes()
                    changes.abandon(segment)
                    _ = try await commits.commit(changes, records: [])
                } else {
                    try await pool.remove(try Self.locator(segment, at: segment.location))
                }
            } catch {
                // Nothing is lost but space: the collector finds what no commit refers to once this epoch has ended.
                continue
            }
        }
    }

    /// Where the blob of a segment is now.
    ///
    /// A repair moves shards and says so in the blob's record alone. What it replaced stays until the reads that began
    /// before have ended, and so does a blob that was condemned meanwhile, whose record the row on the trash keeps.
    private func location(of segment: Segment) async throws(StorageError) -> BlobLocation {
        let rows: [Entry?]
        do {
            rows = try await index.values(of: [Keys.blob(segment.blob), Keys.trash(segment.blob)])
        } catch {
            throw .unavailable("the location of a blob could not be read: \(error)")
        }
        do throws(RecordError) {
            if let blob = rows[0] { return try BlobRecord(encoded: blob.value).location }
            if let trash = rows[1], let location = try TrashRecord(encoded: trash.value).location { return location }
            return segment.location
        } catch {
            throw .corrupt("the record of blob \(segment.blob) does not parse")
        }
    }

    private func drawName() -> BlobName {
        commits.blobName(random: environment.random())
    }

    private func segment(_ locator: BlobLocator, offset: Int64, length: Int64) -> Segment {
        Segment(locator, offset: offset, length: length, reference: environment.random())
    }

    private static func locator(_ segment: Segment, at location: BlobLocation) throws(StorageError) -> BlobLocator {
        do {
            return try location.locator(of: segment.blob)
        } catch {
            throw .corrupt("the location of blob \(segment.blob) does not parse: \(error)")
        }
    }
}

extension BlobLocation {
    /// What the index keeps of a locator.
    package init(_ locator: BlobLocator) {
        self.init(
            length: locator.length, dataShards: locator.geometry.dataShards,
            parityShards: locator.geometry.parityShards, cellSize: locator.geometry.cellSize,
            placementEpoch: locator.placementEpoch,
            exceptions: locator.exceptions.map { Exception(index: $0.index, store: $0.store, attempt: $0.attempt) })
    }

    /// The locator of a blob.
    package func locator(of blob: BlobName) throws(ErasureError) -> BlobLocator {
        BlobLocator(
            name: blob, length: length,
            geometry: try Geometry(dataShards: dataShards, parityShards: parityShards, cellSize: cellSize),
            placementEpoch: placementEpoch,
            exceptions: exceptions.map { ShardException(index: $0.index, store: $0.store, attempt: $0.attempt) })
    }
}
