import Erasure
import Metadata
import Pools
import Primitives
import Storage

/// Finds the writes that stand in footers, and of which neither the index nor its journal ever heard.
struct FooterScan: Sendable {
    let index: any MetadataIndex
    let pool: ErasurePool
    let knowledge: JournalKnowledge
    let limits: TailRecovery.Limits
    let lastRequest: Timestamp?

    /// What a scan found.
    struct Found: Sendable {
        var writes: [FoundWrite] = []
        /// Blobs without a record: pieces of long objects, whose last piece has it.
        var pieces: Set<BlobName> = []
    }

    private static let page = 500
    /// Blobs whose footers are read side by side: each read waits for its stores, which may be far away.
    private static let width = 16

    func run(
        _ report: inout TailReport, _ progress: (TailReport) -> Void
    ) async throws(TailRecoveryError) -> Found {
        var found = Found()
        var last = knowledge.writers.first.flatMap { first in
            first == 0 ? nil : BlobName(epoch: first - 1, counter: .max, random: .max)
        }
        while true {
            let page: [ListedBlob]
            do throws(StorageError) {
                page = try await pool.listing(after: last, limit: Self.page)
            } catch {
                throw .stores(error.description)
            }
            let candidates = page.filter { $0.name.kind == .data && knowledge.writers.contains($0.name.epoch) }
            var blobs = try await unsettled(candidates)[...]
            while !blobs.isEmpty {
                for each in await locate(blobs.prefix(Self.width)) {
                    look(at: each.name, each.blob, &found, &report)
                    report.blobs += 1
                    progress(report)
                }
                blobs = blobs.dropFirst(Self.width)
            }
            guard let end = page.last?.name, end.kind == .data else { return found }
            last = end
        }
    }

    /// The blobs that may hold a write of which the index does not know.
    private func unsettled(_ blobs: [ListedBlob]) async throws(TailRecoveryError) -> [ListedBlob] {
        guard !blobs.isEmpty else { return [] }
        let rows: [Entry?]
        do throws(MetadataError) {
            rows = try await index.values(of: blobs.flatMap { [Keys.blob($0.name), Keys.trash($0.name)] })
        } catch {
            throw .index("\(error)")
        }
        return blobs.enumerated().filter { position, _ in
            isUnsettled(blob: rows[position * 2], trash: rows[position * 2 + 1])
        }.map(\.element)
    }

    private func isUnsettled(blob: Entry?, trash: Entry?) -> Bool {
        // Nothing can have referred to a condemned blob after it was condemned.
        if let trash, !trash.value.isEmpty { return false }
        guard let blob else { return true }
        // One object makes a blob known, and those that share it follow within moments.
        guard blob.version + limits.commits > knowledge.through else { return false }
        do throws(RecordError) {
            // A blob that is cut into pieces is one object's.
            return try BlobRecord(encoded: blob.value).location.dataShards == 1
        } catch {
            return true
        }
    }

    /// What the stores tell of a blob; nil where too little is there.
    private struct Located: Sendable {
        var name: BlobName
        var blob: LocatedBlob?
    }

    /// What is told of each of some blobs, in the order of these.
    private func locate(_ blobs: ArraySlice<ListedBlob>) async -> [Located] {
        let found = await withTaskGroup(of: Located.self) { group in
            for blob in blobs { group.addTask { await locate(blob) } }
            var found: [BlobName: Located] = [:]
            for await each in group { found[each.name] = each }
            return found
        }
        return blobs.compactMap { found[$0.name] }
    }

    private func locate(_ blob: ListedBlob) async -> Located {
        do throws(StorageError) {
            return Located(name: blob.name, blob: try await pool.locate(blob))
        } catch {
            return Located(name: blob.name, blob: nil)
        }
    }

    private func look(
        at name: BlobName, _ blob: LocatedBlob?, _ found: inout Found, _ report: inout TailReport
    ) {
        guard let blob, blob.locator.isReadable else { return report.leave(.unreadable) }
        if let pack = PackRecord(decoding: blob.recovery) {
            for entry in pack.entries {
                let isInside = entry.offset <= blob.locator.length && entry.length <= blob.locator.length - entry.offset
                guard isInside else {
                    report.leave(.unreadable)
                    continue
                }
                add(entry, in: blob.locator, &found, &report)
            }
        } else if blob.recovery.isEmpty {
            found.pieces.insert(name)
        } else {
            let whole = PackRecord.Entry(offset: 0, length: blob.locator.length, recovery: blob.recovery)
            add(whole, in: blob.locator, &found, &report)
        }
    }

    private func add(
        _ entry: PackRecord.Entry, in blob: BlobLocator, _ found: inout Found, _ report: inout TailReport
    ) {
        guard !knowledge.segments.contains(blob.name, offset: entry.offset) else { return }
        do throws(RecordError) {
            let record = try RecoveryRecord(encoded: entry.recovery)
            guard let moment = record.moment else { return report.leave(.silent) }
            guard isRecent(moment) else { return report.leave(.old) }
            found.writes.append(
                FoundWrite(record: record, moment: moment, blob: blob, offset: entry.offset, length: entry.length))
        } catch {
            report.leave(.silent)
        }
    }

    /// Whether the journal would tell of the write if its commit had been there, and whether the write may have been
    /// under way when the journal ended.
    private func isRecent(_ moment: RecoveryRecord.Moment) -> Bool {
        guard moment.after >= knowledge.floor else { return false }
        return lastRequest.map { moment.time + limits.age >= $0 } ?? true
    }
}

extension BlobLocator {
    /// Whether enough shards were found, or may lie on stores that are away.
    var isReadable: Bool {
        exceptions.count { $0.store == nil } <= geometry.parityShards
    }
}
