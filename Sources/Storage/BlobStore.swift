package import NIOCore
package import Primitives

/// Immutable blobs under names that the caller draws, and nothing about S3.
///
/// A directory, a bucket of another service, an erasure-coded pool and every decorator of these keep the same laws
/// (`TidegateTesting.BlobStoreLaws`):
/// * a blob is either wholly there under its name or not there at all, whatever crashes;
/// * what was written is read back bit for bit, by any range;
/// * the same name is never written with other bytes; writing the same bytes again succeeds;
/// * a write whose body throws leaves nothing behind;
/// * deleting what is not there succeeds.
package protocol BlobStore: Sendable {
    /// Returns once the blob would survive a crash of this process and of the store's host.
    ///
    /// The blob is published only after the body has delivered its end, so that a body which fails its checks is never
    /// seen.
    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt

    /// Writes the bytes of a range, which must lie within the blob, to a sink in order.
    ///
    /// - Throws: `notFound`; `corrupt` where the stored bytes fail their check; `invalidRange`; `sink` where the sink
    ///   failed.
    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError)

    /// The bytes of a range, where they can be had at once, without waiting for a disk or a network: nil where they
    /// cannot, and always nil for a store that never can. For small ranges, since the caller's thread copies them.
    ///
    /// The bytes are as the store has them: a check of the whole blob is not made. Whoever asks must be able to tell
    /// right ones from wrong ones, and should `read` where it is in doubt.
    func readAtOnce(_ name: BlobName, range: Range<Int64>) throws(StorageError) -> ByteBuffer?

    /// Removes a blob durably. Succeeds where there is none.
    func delete(_ name: BlobName) async throws(StorageError)

    /// Up to `limit` of the blobs held, in the order of their names, after `after`.
    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary]
}

extension BlobStore {
    package func readAtOnce(_ name: BlobName, range: Range<Int64>) throws(StorageError) -> ByteBuffer? { nil }
}

/// What a write left behind.
package struct BlobReceipt: Sendable, Hashable {
    /// Bytes of the blob as the caller gave them.
    package var length: Int64
    /// Where shards lie otherwise than placement says; empty for stores without shards.
    package var exceptions: [ShardException]

    package init(length: Int64, exceptions: [ShardException] = []) {
        (self.length, self.exceptions) = (length, exceptions)
    }
}

/// A shard that is not where the placement of its blob says.
package struct ShardException: Sendable, Hashable {
    package var index: UInt8
    /// The store that holds it (its position in the pool's list of stores), or nil where no store took it.
    package var store: UInt16?
    package var attempt: UInt8

    package init(index: UInt8, store: UInt16?, attempt: UInt8) {
        (self.index, self.store, self.attempt) = (index, store, attempt)
    }
}

/// A blob as a scan of a store finds it.
package struct BlobSummary: Sendable, Hashable {
    package var name: BlobName
    /// Bytes of the blob as the store holds it.
    package var length: Int64

    package init(name: BlobName, length: Int64) {
        (self.name, self.length) = (name, length)
    }
}
