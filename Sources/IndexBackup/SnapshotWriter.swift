import Metadata
import Primitives

/// Copies a snapshot of an index to the stores, a part at a time.
struct SnapshotWriter: Sendable {
    let stores: BackupStores
    let epoch: UInt32
    let partBytes: Int

    /// Writes a snapshot of now, and returns its commit. While it is written commits go on.
    ///
    /// - Parameter beforeLast: awaited with the commit before the part that makes the snapshot whole.
    func write(
        _ index: any SnapshottingIndex, attempt: UInt32,
        beforeLast: (CommitVersion) async throws(IndexBackupError) -> Void
    ) async throws(IndexBackupError) -> CommitVersion {
        let snapshot: any IndexSnapshot
        do throws(MetadataError) { snapshot = try await index.snapshot() } catch { throw .index(error) }
        do throws(IndexBackupError) {
            try await write(snapshot, attempt: attempt, beforeLast: beforeLast)
        } catch {
            await snapshot.close()
            throw error
        }
        await snapshot.close()
        return snapshot.version
    }

    private func write(
        _ snapshot: any IndexSnapshot, attempt: UInt32,
        beforeLast: (CommitVersion) async throws(IndexBackupError) -> Void
    ) async throws(IndexBackupError) {
        var (payload, count, number) = (ByteWriter(), UInt32(0), UInt32(0))
        var chain = BackupFrame.noDigest
        func writePart(isFinal: Bool) async throws(IndexBackupError) {
            let frame = BackupFrame(
                kind: .snapshot, isFinal: isFinal, base: snapshot.version, last: snapshot.version, number: number,
                count: count, previous: chain, payload: payload.bytes)
            let encoded = frame.encode()
            // The name's random bits are the attempt and the part's number, so that parts list in their order.
            let name = BlobName(
                kind: .snapshot, epoch: epoch, counter: snapshot.version, random: attempt << 16 | number)
            try await stores.write(name, encoded)
            chain = BackupFrame.digest(of: encoded)
            (payload, count, number) = (ByteWriter(), 0, number + 1)
        }
        while let batch = try await next(snapshot) {
            for entry in batch {
                BackupFrame.append(entry, to: &payload)
                count += 1
                if payload.bytes.count >= partBytes, number < 0xFFFF { try await writePart(isFinal: false) }
            }
        }
        try await beforeLast(snapshot.version)
        try await writePart(isFinal: true)
    }

    private func next(_ snapshot: any IndexSnapshot) async throws(IndexBackupError) -> [Entry]? {
        do throws(MetadataError) { return try await snapshot.next() } catch { throw .index(error) }
    }
}
