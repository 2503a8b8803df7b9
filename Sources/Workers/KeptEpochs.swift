import Metadata
import Primitives

/// Whose blobs are kept whatever the index says, since it may have lost what named them (`RecoveredRecord`).
struct KeptEpochs: Sendable {
    /// The first epoch of which that is not so.
    let end: UInt64

    func contains(_ name: BlobName) -> Bool { UInt64(name.epoch) < end }
}

extension MetadataIndex {
    /// - Throws: `malformed` where the row cannot be read: nothing is collected then.
    func keptEpochs() async throws(WorkerError) -> KeptEpochs {
        let row = try await answered { index throws(MetadataError) in try await index.values(of: [Keys.recovered]) }[0]
        guard let row else { return KeptEpochs(end: 0) }
        do throws(RecordError) {
            return KeptEpochs(end: try RecoveredRecord(encoded: row.value).keptBelow)
        } catch {
            throw .malformed(row.key)
        }
    }
}
