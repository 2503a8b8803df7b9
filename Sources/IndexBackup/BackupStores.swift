import Metadata
import NIOCore
import Primitives
import Storage

/// The stores that hold the backup, each a failure domain of its own: what is written goes to several of them, and
/// what is read may come from any.
struct BackupStores: Sendable {
    let stores: [any BlobStore]
    /// How many stores must hold each blob: m + 1, so that the loss of any m leaves one.
    let copies: Int

    /// Writes one blob to `copies` stores at once, to others where some fail.
    ///
    /// - Throws: `tooFewCopies`; what was stored then stays, which harms nothing.
    func write(_ name: BlobName, _ bytes: [UInt8]) async throws(IndexBackupError) {
        let buffer = ByteBuffer(bytes: bytes)
        let stores = stores
        let wanted = max(1, copies)
        let stored = await withTaskGroup(of: Bool.self) { group in
            var next = 0
            var stored = 0
            func begin() {
                let store = stores[next]
                next += 1
                group.addTask { await Self.write(name, buffer, to: store) }
            }
            while next < min(wanted, stores.count) { begin() }
            while let isStored = await group.next() {
                if isStored { stored += 1 } else if next < stores.count { begin() }
            }
            return stored
        }
        guard stored >= wanted else { throw .tooFewCopies(stored: stored, needed: wanted) }
    }

    private static func write(_ name: BlobName, _ buffer: ByteBuffer, to store: any BlobStore) async -> Bool {
        do throws(StorageError) {
            _ = try await store.write(name, Body(buffer))
            return true
        } catch {
            // The next store is tried; too few in all is the caller's error.
            return false
        }
    }

    /// The names of the backup's blobs of one kind in each store; nil for a store that does not answer.
    func names(_ kind: BlobName.Kind) async -> [[BlobSummary]?] {
        var lists: [[BlobSummary]?] = []
        for store in stores { lists.append(await Self.names(kind, in: store)) }
        return lists
    }

    private static func names(_ kind: BlobName.Kind, in store: any BlobStore) async -> [BlobSummary]? {
        guard let before = BlobName.Kind(rawValue: kind.rawValue - 1) else { return nil }
        let largest = BlobName.Shard(index: .max, attempt: .max)
        var after = BlobName(kind: before, epoch: .max, counter: .max, random: .max, shard: largest)
        var found: [BlobSummary] = []
        while true {
            let page: [BlobSummary]
            do throws(StorageError) {
                page = try await store.blobs(after: after, limit: 1000)
            } catch {
                return nil
            }
            found += page.filter { $0.name.kind == kind }
            guard let last = page.last, last.name.kind == kind else { return found }
            after = last.name
        }
    }

    /// A frame from the first of these stores whose copy is whole.
    func frame(_ name: BlobName, length: Int64, from holders: [Int], damaged: inout Set<DamagedCopy>) async -> (
        frame: BackupFrame, digest: [UInt8]
    )? {
        for holder in holders {
            guard let bytes = await Self.read(name, length: length, from: stores[holder]) else {
                damaged.insert(DamagedCopy(store: holder, name: name))
                continue
            }
            if let frame = BackupFrame(bytes) { return (frame, BackupFrame.digest(of: bytes)) }
            damaged.insert(DamagedCopy(store: holder, name: name))
        }
        return nil
    }

    private static func read(_ name: BlobName, length: Int64, from store: any BlobStore) async -> [UInt8]? {
        guard length <= Int64(BackupFrame.lengthLimit) else { return nil }
        var sink: any BodySink = BufferingSink(limit: BackupFrame.lengthLimit)
        do throws(StorageError) {
            try await store.read(name, range: 0..<length, into: &sink)
        } catch {
            // Another store may have a whole copy.
            return nil
        }
        return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) }
    }

    /// Deletes a blob wherever it is listed. What a store does not delete now is found again at the next pruning.
    func delete(_ name: BlobName, from holders: [Int]) async -> Bool {
        var isDeleted = true
        for holder in holders {
            do throws(StorageError) { try await stores[holder].delete(name) } catch { isDeleted = false }
        }
        return isDeleted
    }
}
