import Erasure
import Metadata
import Pools
import Primitives
import Storage

extension BlobLocation {
    /// What the index keeps of a locator.
    init(of locator: BlobLocator) {
        self.init(
            length: locator.length, dataShards: locator.geometry.dataShards,
            parityShards: locator.geometry.parityShards, cellSize: locator.geometry.cellSize,
            placementEpoch: locator.placementEpoch,
            exceptions: locator.exceptions.map { Exception(index: $0.index, store: $0.store, attempt: $0.attempt) })
    }

    /// The locator of a blob.
    ///
    /// - Throws: `malformed` where the numbers are those of no blob.
    func locator(naming blob: BlobName) throws(WorkerError) -> BlobLocator {
        let geometry: Geometry
        do throws(ErasureError) {
            geometry = try Geometry(dataShards: dataShards, parityShards: parityShards, cellSize: cellSize)
        } catch {
            throw .malformed(Keys.blob(blob))
        }
        return BlobLocator(
            name: blob, length: length, geometry: geometry, placementEpoch: placementEpoch,
            exceptions: exceptions.map { ShardException(index: $0.index, store: $0.store, attempt: $0.attempt) })
    }
}

extension Entry {
    /// The locator that the entry of a blob holds.
    func locator(naming blob: BlobName) throws(WorkerError) -> BlobLocator {
        let record: BlobRecord
        do throws(RecordError) {
            record = try BlobRecord(encoded: value)
        } catch {
            throw .malformed(key)
        }
        return try record.location.locator(naming: blob)
    }
}
