package import Primitives
package import Storage

/// Gives a pool whole names for those of shards, which it cuts into shards itself, so that the laws can draw any name.
package struct WholeNames: BlobStore {
    private let base: any BlobStore

    package init(base: any BlobStore) { self.base = base }

    private func folded(_ name: BlobName) -> BlobName {
        guard name.random == 7 else { return name }
        let shard = name.shard.map { 0x1_0000 | UInt32($0.index) << 8 | UInt32($0.attempt) } ?? 0
        return BlobName(kind: name.kind, epoch: name.epoch, counter: name.counter, random: 0x0700_0000 | shard)
    }

    private func unfolded(_ name: BlobName) -> BlobName {
        guard name.random >> 17 == 0x0700_0000 >> 17 else { return name }
        let whole = BlobName(kind: name.kind, epoch: name.epoch, counter: name.counter, random: 7)
        guard name.random & 0x1_0000 != 0 else { return whole }
        return whole.shard(UInt8(name.random >> 8 & 0xff), attempt: UInt8(name.random & 0xff))
    }

    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        try await base.write(folded(name), body)
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        try await base.read(folded(name), range: range, into: &sink)
    }

    package func delete(_ name: BlobName) async throws(StorageError) { try await base.delete(folded(name)) }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await base.blobs(after: after.map(folded), limit: limit).map {
            BlobSummary(name: unfolded($0.name), length: $0.length)
        }
    }
}
