package import Metadata
import NIOCore
package import Primitives
package import Storage

/// What the index knows of a deployment's stores, as every store holds a copy of it: whoever finds one store finds the
/// others, and thus every copy of the index, of which a single store has only some.
///
/// Its secrets are sealed, as in the index.
package struct MembersCopy: Sendable, Hashable {
    /// The commit at which the rows were read.
    package var version: CommitVersion
    /// The rows of the index, by key.
    package var entries: [Entry]

    /// Bytes of the longest copy that is read.
    private static let lengthLimit = 8 << 20

    package init(version: CommitVersion, entries: [Entry]) {
        (self.version, self.entries) = (version, entries)
    }

    /// The rows that a copy has, as the index has them now.
    package static func read(_ index: any MetadataIndex) async throws(MetadataError) -> MembersCopy {
        var rows = try await index.scan(Scan(Keys.stores, limit: 1000)).entries
        rows += try await index.values(of: [Keys.deployment, Keys.recoveryKey]).compactMap(\.self)
        rows.sort { $0.key.lexicographicallyPrecedes($1.key) }
        return MembersCopy(version: rows.map(\.version).max() ?? 0, entries: rows)
    }

    package func value(of key: Key) -> [UInt8]? { entries.first { $0.key == key }?.value }

    private var encoded: [UInt8] {
        var payload = ByteWriter()
        for entry in entries { BackupFrame.append(entry, to: &payload) }
        return BackupFrame(
            kind: .members, isFinal: true, base: version, last: version, count: UInt32(entries.count),
            previous: BackupFrame.noDigest, payload: payload.bytes
        ).encode()
    }

    private init?(_ bytes: [UInt8]) {
        guard let frame = BackupFrame(bytes), frame.kind == .members, let entries = frame.entries() else { return nil }
        self.init(version: frame.last, entries: entries)
    }

    // MARK: In a store

    /// The newest whole copy that a store has; nil where it has none. One that is damaged is passed over.
    package static func newest(
        in store: any BlobStore
    ) async throws(StorageError) -> (copy: MembersCopy, name: BlobName)? {
        for blob in try await blobs(in: store).reversed() where blob.length <= Int64(lengthLimit) {
            var sink: any BodySink = BufferingSink(limit: lengthLimit)
            do throws(StorageError) {
                try await store.read(blob.name, range: 0..<blob.length, into: &sink)
            } catch .notFound, .corrupt {
                continue
            }
            guard let bytes = (sink as? BufferingSink)?.bytes, let copy = MembersCopy(Array(bytes.readableBytesView))
            else { continue }
            return (copy, blob.name)
        }
        return nil
    }

    /// Puts the copy into a store, and then removes those before it.
    ///
    /// - Parameter name: of the kind `control`, greater than every one before it.
    package func write(to store: any BlobStore, as name: BlobName) async throws(StorageError) {
        _ = try await store.write(name, Body(ByteBuffer(bytes: encoded)))
        for old in try await Self.blobs(in: store) where old.name < name { try await store.delete(old.name) }
    }

    private static func blobs(in store: any BlobStore) async throws(StorageError) -> [BlobSummary] {
        let largest = BlobName.Shard(index: .max, attempt: .max)
        var found: [BlobSummary] = []
        var after = BlobName(kind: .snapshot, epoch: .max, counter: .max, random: .max, shard: largest)
        while true {
            let page = try await store.blobs(after: after, limit: 1000)
            found += page.filter { $0.name.kind == .control }
            guard let last = page.last else { return found }
            after = last.name
        }
    }
}
