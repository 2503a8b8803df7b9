package import Metadata
package import Primitives
package import Storage

/// Where the bytes of objects go: a pool of stores, seen as segments.
package protocol ObjectStorage: Sendable {
    /// Stores a body, durably, as one or more segments. Nothing refers to them until a commit does.
    ///
    /// - Parameters:
    ///   - length: bytes of the body, where they are known.
    ///   - group: objects of different groups never share a blob.
    ///   - recovery: what a blob's footer says of it, asked for when its bytes have ended, with the blobs before it.
    func store(
        _ body: consuming Body, length: Int64?, group: UInt64,
        recovery: @escaping @Sendable (_ earlier: [BlobName]) -> [UInt8]
    ) async throws(StorageError) -> [Segment]

    /// Whether the blob of an object of this length may be one that others share.
    func mayShare(length: Int64?) -> Bool

    /// Writes a range of a segment's plain bytes to a sink. The caller holds a token of the read horizon, taken before
    /// the segment was read from the index.
    func fetch(_ segment: Segment, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError)

    /// Frees segments that no commit refers to and none will, as far as that is possible now; the collector finds the
    /// rest. What others have stored in the same blobs stays.
    func discard(_ segments: [Segment]) async
}
