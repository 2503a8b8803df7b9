import Audit
package import Metadata
import NIOCore
package import Pools
package import Primitives
import S3Model
import Storage

/// Brings back what was acknowledged after the last commit that the journal has: what the footers of shards tell.
///
/// The journal follows the commits within a second or so. Where the index's disk is lost, the commits of that second
/// are; but the bytes that they stored are on the stores, and each blob's footer says which object it is. Footers say
/// nothing of deletions, tags, policies or the ends of uploads, so that they only *add* what the journal cannot know
/// of:
///
/// * **An object whose commit the journal has never comes twice, and never after its deletion.** Its bytes are among
///   `JournalledSegments`, whatever became of it since. The footer names a commit that was there before the object's
///   own; where that one is older than what the journal still tells, the object is left. So what is brought back has no
///   commit up to the last one that came back.
/// * **What never became an object stays away, as far as can be told.** An epoch that had ended could commit nothing
///   any more (`LostWriters`). What was written long before the last request in the journal was not under way when the
///   journal ended. What had ended before the journal's current version began is not put in its place. A condition
///   must still hold. A write that was under way at the end, or whose client went away shortly before, may come back
///   although nobody was told that it succeeded: to that client, its outcome was unknown.
/// * **A part stays a part**, of an upload that is open as far as the journal knows; otherwise it is left.
///
/// Writes are made again in the order in which they ended, by what makes them ordinarily, each with a record. A key
/// that was deleted after the journal's end is there again, with what was written last: the deletion is lost.
package struct TailRecovery: Sendable {
    package struct Limits: Sendable {
        /// A write whose commit was not there this many commits after its body had ended is left.
        package var commits: CommitVersion = 65_536
        /// What ended so long before the last request of the journal is left.
        package var age: Duration = .seconds(900)

        package init() {}
    }

    private let index: any MetadataIndex
    private let commits: CommitService
    private let pool: ErasurePool
    private let environment: any Environment
    private let region: String
    private let limits: Limits
    private var versions: VersionReader { VersionReader(index) }

    /// - Parameters:
    ///   - index: as it came back, with the epoch of `commits` and nobody else's.
    ///   - pool: over the stores, in the positions that the index knows; nothing is written to them.
    package init(
        _ index: any MetadataIndex, commits: CommitService, pool: ErasurePool, environment: any Environment,
        region: String, limits: Limits = Limits()
    ) {
        (self.index, self.commits, self.pool) = (index, commits, pool)
        (self.environment, self.region, self.limits) = (environment, region, limits)
    }

    /// Looks at every blob that may be missing from the index, and brings back what is to be brought back.
    ///
    /// - Parameters:
    ///   - report: what was done, also where it throws.
    ///   - progress: told of it, often.
    /// - Throws: `stores` where too many do not answer; `index`. What was brought back before stays.
    package func run(
        _ knowledge: JournalKnowledge, _ report: inout TailReport, progress: (TailReport) -> Void = { _ in }
    ) async throws(TailRecoveryError) {
        let scan = FooterScan(
            index: index, pool: pool, knowledge: knowledge, limits: limits,
            lastRequest: knowledge.segments.lastRequest)
        var found = try await scan.run(&report, progress)
        for write in found.writes.sorted(by: FoundWrite.comesBefore) {
            found.pieces.subtract(write.record.earlier)
            let refusal: TailReport.Reason?
            do {
                refusal = try await restore(write, knowledge, &report)
            } catch let error as TailRecoveryError {
                throw error
            } catch {
                throw .index("\(error)")
            }
            if let refusal { report.leave(refusal) }
            progress(report)
        }
        report.leave(.silent, found.pieces.count)
    }

    /// Makes a write again, or says why not.
    private func restore(
        _ write: FoundWrite, _ knowledge: JournalKnowledge, _ report: inout TailReport
    ) async throws -> TailReport.Reason? {
        let record = write.record
        guard let entry = try await index.values(of: [Keys.bucket(record.bucketName)])[0] else { return .bucket }
        let bucket = try BucketRecord(encoded: entry.value)
        guard bucket.id == record.bucket else { return .bucket }
        guard let segments = try await segments(of: write) else { return .unreadable }
        let trash = try await index.values(of: segments.map { Keys.trash($0.blob) })
        guard trash.allSatisfy({ $0?.value.isEmpty ?? true }) else { return .condemned }
        var changes = Changes()
        changes.require(entry.key, unchangedFrom: entry)
        if let upload = record.upload {
            if let refusal = try await put(write, segments, upload, knowledge, into: &changes) { return refusal }
            guard try await areReadable(segments) else { return .unreadable }
            _ = try await commits.commit(changes, records: [audited("RecoverPart", write)])
            report.parts += 1
            return nil
        }
        let state = try await versions.state(of: record.key, in: bucket)
        if try await isThere(write, state) { return nil }
        if let live = state.live?.record, state.versioning != .enabled,
            follows(live.sequence, live.modified, write, knowledge)
        {
            return .superseded
        }
        guard holds(record.preconditions, state) else { return .condition }
        guard try await areReadable(segments) else { return .unreadable }
        var version = record.version
        (version.segments, version.recovered) = (segments, environment.now())
        state.put(version, into: &changes)
        changes.refer(to: segments, from: ReferenceOwner.encoded(bucket.id, record.key), at: environment.now())
        _ = try await commits.commit(changes, records: [audited("RecoverObject", write)])
        report.objects += 1
        report.bytes += version.size
        return nil
    }

    /// Where the bytes are; nil where some are missing.
    private func segments(of write: FoundWrite) async throws(TailRecoveryError) -> [Segment]? {
        var segments: [Segment] = []
        for name in write.record.earlier {
            do throws(StorageError) {
                let blob = try await pool.locate(name).locator
                guard blob.isReadable else { return nil }
                segments.append(Segment(blob, offset: 0, length: blob.length, reference: environment.random()))
            } catch {
                return nil
            }
        }
        segments.append(
            Segment(write.blob, offset: write.offset, length: write.length, reference: environment.random()))
        let version = write.record.version
        let isWhole = segments.reduce(0) { $0 + $1.plainLength } == version.size
        return isWhole && !version.isDeleteMarker && !version.hasManifest ? segments : nil
    }

    /// Whether every byte can be read, or may be once stores are back that are away.
    ///
    /// A footer says nothing of the cells before it. Nor did a write that was under way have more shards than a read
    /// needs yet; and where it takes another object's place, that one is lost.
    private func areReadable(_ segments: [Segment]) async throws -> Bool {
        for segment in segments {
            let (blob, start) = (try segment.location.locator(of: segment.blob), segment.offset)
            var sink: any BodySink = DiscardingSink()
            do throws(StorageError) {
                try await pool.fetch(blob, range: start..<start + segment.storedLength, into: &sink)
            } catch .quorum, .unavailable {
                continue
            } catch {
                return false
            }
        }
        return true
    }

    /// Puts a part of an upload, or says why not.
    private func put(
        _ write: FoundWrite, _ segments: [Segment], _ id: UploadID, _ knowledge: JournalKnowledge,
        into changes: inout Changes
    ) async throws -> TailReport.Reason? {
        let (record, version) = (write.record, write.record.version)
        let row = Keys.part(record.bucket, id, record.partNumber)
        let entries = try await index.values(of: [Keys.upload(record.bucket, record.key, id), row])
        guard let entry = entries[0] else { return .upload }
        let upload = OpenUpload(
            id: id, key: record.key, entry: entry, record: try UploadRecord(encoded: entry.value))
        guard upload.record.state == .open else { return .upload }
        let earlier = try entries[1].map { try PartRecord(encoded: $0.value) }
        if let earlier, let version = entries[1]?.version, follows(version, earlier.modified, write, knowledge) {
            return .superseded
        }
        var part = PartRecord()
        (part.size, part.etag, part.modified) = (version.size, version.etag, write.moment.time)
        (part.checksum, part.segments) = (version.checksum, segments)
        changes.put(
            part, at: row, inPlaceOf: entries[1], earlier, of: upload, in: record.bucket, now: environment.now())
        return nil
    }

    /// Whether a version of the key has the bytes already.
    private func isThere(_ write: FoundWrite, _ state: KeyState) async throws -> Bool {
        let scan = Scan(.prefix(Keys.versions(state.bucket, state.key)), limit: 1000)
        let noncurrent = try await versions.scan(scan).entries
        let all = try [state.live, state.nullVersion].compactMap(\.?.record) + noncurrent.map { try VersionRecord($0) }
        return all.contains { version in
            version.segments.contains { $0.blob == write.blob.name && $0.offset == write.offset }
        }
    }

    /// Whether what this write would replace came after it, and is acknowledged.
    ///
    /// Its commit came before this one's, if this one's ever came. But when it began, this one's body had ended: so
    /// either the two went on at once, and either order is right, or this one was given up.
    private func follows(
        _ commit: CommitVersion, _ time: Timestamp, _ write: FoundWrite, _ knowledge: JournalKnowledge
    ) -> Bool {
        commit <= knowledge.through && commit > write.moment.after && time > write.moment.time
    }

    private func holds(_ preconditions: Preconditions, _ state: KeyState) -> Bool {
        do throws(S3Error) {
            try ObjectWriter.check(preconditions, against: state)
            return true
        } catch {
            return false
        }
    }

    private func audited(_ name: String, _ write: FoundWrite) -> AuditRecord {
        let record = write.record
        var parameters = [
            "bucketName": record.bucketName, "key": record.key.description, "blob": write.blob.name.description,
            "bytes": String(record.version.size), "etag": record.version.etag, "written": write.moment.time.iso8601,
        ]
        if let upload = record.upload {
            parameters["uploadId"] = upload.description
            parameters["partNumber"] = String(record.partNumber)
        }
        return AuditRecord(
            .system(
                name, id: environment.eventID(), at: environment.now(), region: region, parameters: parameters))
    }
}

/// A sink for whoever wants to know only whether something can be read.
private struct DiscardingSink: BodySink {
    mutating func write(_ bytes: ByteBuffer) {}
}
