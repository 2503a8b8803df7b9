import Audit
import Cryptography
package import Metadata
package import Primitives
import S3Model
package import Storage

/// Shows objects of another service in a bucket of ours, and moves them into the pool.
package struct Adoption: Sendable {
    /// No run is longer, so that moving one is a bounded piece of work.
    private static let runLength: Int64 = 1 << 30
    /// Commits that are tried where others change the same key.
    private static let tries = 20

    private let index: any MetadataIndex
    private let commits: CommitService
    private let storage: any ObjectStorage
    private let environment: any Environment
    private let region: String
    private var versions: VersionReader { VersionReader(index) }

    package init(
        _ index: any MetadataIndex, commits: CommitService, storage: any ObjectStorage, environment: any Environment,
        region: String
    ) {
        (self.index, self.commits, self.storage) = (index, commits, storage)
        (self.environment, self.region) = (environment, region)
    }

    /// What came of one object.
    package enum Outcome: Sendable, Hashable {
        /// It is shown from now on.
        case shown
        /// It was shown already, from the same place.
        case known
        /// The bucket has an object of its own under the key.
        case passedOver
    }

    // MARK: Showing

    /// Whether a key of the bucket is to be asked for at all.
    ///
    /// - Throws: `AdoptionError`.
    package func standing(
        of key: ObjectKey, in bucket: String, from source: UInt16
    ) async throws(AdoptionError) -> Outcome? {
        let state = try await state(of: key, in: bucket).state
        guard let live = state.live else { return state.marker == nil ? nil : .passedOver }
        return live.record.isAdopted(from: source) ? .known : .passedOver
    }

    /// Makes an object that stays where it is the current version of its key, unless there is one.
    package func show(
        _ object: AdoptedObject, in bucket: String, from source: UInt16
    ) async throws(AdoptionError) -> Outcome {
        for _ in 0..<Self.tries {
            let (entry, record, state) = try await state(of: object.key, in: bucket)
            if let live = state.live { return live.record.isAdopted(from: source) ? .known : .passedOver }
            guard state.marker == nil else { return .passedOver }
            var version = VersionRecord()
            (version.size, version.etag, version.modified) = (object.size, object.etag, object.modified)
            (version.headers, version.metadata, version.tags) = (object.headers, object.metadata, object.tags)
            version.uid = environment.random()
            version.segments = runs(of: object, source)
            var changes = Changes()
            changes.require(entry.key, unchangedFrom: entry)
            state.put(version, into: &changes)
            changes.refer(
                to: version.segments, from: ReferenceOwner.encoded(record.id, object.key), at: environment.now())
            let parameters = [
                "bucketName": bucket, "key": object.key.description, "source": String(source),
                "bytes": String(object.size), "etag": object.etag,
            ]
            if try await commit(changes, "AdoptObject", parameters) { return .shown }
        }
        throw .busy(object.key)
    }

    private func runs(of object: AdoptedObject, _ source: UInt16) -> [Segment] {
        stride(from: 0, to: object.size, by: Int(Self.runLength)).map { start in
            let place = ForeignPlace(
                source: source, key: object.key.bytes, offset: start, etag: object.etag, isMD5: object.isMD5)
            return Segment(
                of: place, length: min(Self.runLength, object.size - start),
                as: commits.blobName(random: environment.random()), reference: environment.random())
        }
    }

    private func state(
        of key: ObjectKey, in bucket: String
    ) async throws(AdoptionError) -> (entry: Entry, record: BucketRecord, state: KeyState) {
        do {
            guard let entry = try await index.values(of: [Keys.bucket(bucket)])[0] else {
                throw AdoptionError.noSuchBucket(bucket)
            }
            let record = try BucketRecord(encoded: entry.value)
            return (entry, record, try await versions.state(of: key, in: record))
        } catch let error as AdoptionError {
            throw error
        } catch {
            throw .index("\(error)")
        }
    }

    // MARK: Moving

    /// How many runs of a source are still served from there.
    package static func countRuns(
        of source: UInt16, in index: any MetadataIndex
    ) async throws(AdoptionError) -> Int {
        var (count, last): (Int, BlobName?) = (0, nil)
        repeat {
            let page = try await runs(of: source, after: last, in: index)
            (count, last) = (count + page.runs.count, page.last)
        } while last != nil
        return count
    }

    /// The runs of a source that are still served from there, a page at a time.
    ///
    /// - Parameter after: the last one of the page before.
    package func runs(
        of source: UInt16, after: BlobName?
    ) async throws(AdoptionError) -> (runs: [BlobName], last: BlobName?) {
        try await Self.runs(of: source, after: after, in: index)
    }

    private static func runs(
        of source: UInt16, after: BlobName?, in index: any MetadataIndex, limit: Int = 1000
    ) async throws(AdoptionError) -> (runs: [BlobName], last: BlobName?) {
        let all = Keys.blobs("f")
        let start = after.map { Keys.foreign($0) + [0] } ?? all.lowerBound.key
        do {
            let page = try await index.scan(Scan(.keys(from: start, below: all.upperBound.key), limit: limit))
            let runs = try page.entries.filter { try ForeignPlace(encoded: $0.value).source == source }
            return (runs.compactMap { Keys.blobName($0.key) }, page.entries.last.flatMap { Keys.blobName($0.key) })
        } catch {
            throw .index("\(error)")
        }
    }

    /// Stores the bytes of a run in the pool, and has its version name them there.
    ///
    /// - Returns: The bytes that were moved; nil where nothing refers to the run any more.
    /// - Throws: `storage` where they cannot be read or stored, or are not those of the object's ETag.
    package func move(_ run: BlobName) async throws(AdoptionError) -> Int64? {
        for _ in 0..<Self.tries {
            guard let (bucket, key, found) = try await version(with: run) else { return nil }
            guard let position = found.record.segments.firstIndex(where: { $0.blob == run }) else { return nil }
            let old = found.record.segments[position]
            let new = try await stored(old, of: found.record, in: bucket)
            var record = found.record
            record.segments.replaceSubrange(position...position, with: new)
            var changes = Changes()
            changes.require(found.entry.key, unchangedFrom: found.entry)
            changes.put(found.entry.key, record.settled)
            changes.refer(to: new, from: ReferenceOwner.encoded(bucket, key), at: environment.now())
            changes.release([old])
            let parameters = [
                "key": key.description, "run": run.description, "bytes": String(old.plainLength),
                "etag": record.etag,
            ]
            do throws(AdoptionError) {
                if try await commit(changes, "MoveAdoptedObject", parameters) { return old.plainLength }
            } catch {
                await storage.discard(new)
                throw error
            }
            await storage.discard(new)
        }
        throw .busy(nil)
    }

    /// Where a run is named: by the current version of its key, or by one before it.
    private func version(
        with run: BlobName
    ) async throws(AdoptionError) -> (bucket: BucketID, key: ObjectKey, found: StoredVersion)? {
        do {
            let rows = try await index.scan(Scan(.prefix(Keys.references(run)), limit: 2)).entries
            guard let owner = rows.first?.value, owner.count > 8, let key = ObjectKey(Array(owner.dropFirst(8))) else {
                return nil
            }
            let bucket = BucketID(Keys.number(owner.prefix(8)))
            var entries = try await index.values(of: [Keys.live(bucket, key)]).compactMap(\.self)
            entries += try await index.scan(Scan(.prefix(Keys.versions(bucket, key)), limit: 10_000)).entries
            for entry in entries {
                let version = StoredVersion(entry: entry, record: try VersionRecord(entry))
                if version.record.segments.contains(where: { $0.blob == run }) { return (bucket, key, version) }
            }
            return nil
        } catch {
            throw .index("\(error)")
        }
    }

    private func stored(
        _ run: Segment, of record: VersionRecord, in bucket: BucketID
    ) async throws(AdoptionError) -> [Segment] {
        var alone = record
        alone.segments = [run]
        var expectation = PayloadExpectation(algorithm: .crc64nvme)
        expectation.length = run.plainLength
        if record.segments.count == 1, run.foreign?.isMD5 == true { expectation.md5 = Hex.decode(record.etag) }
        let source = DigestingSource(
            ObjectReader(storage).body(of: alone, range: 0..<run.plainLength), expectation, PayloadDigests())
        do throws(StorageError) {
            return try await storage.store(
                Body(length: run.plainLength, source: source), length: run.plainLength, group: bucket.value
            ) { _ in [] }
        } catch {
            throw .storage(error)
        }
    }

    // MARK: Commits

    /// - Returns: False where others were faster.
    private func commit(
        _ changes: Changes, _ name: String, _ parameters: [String: String]
    ) async throws(AdoptionError) -> Bool {
        let event = AuditEvent.system(
            name, id: environment.eventID(), at: environment.now(), region: region, parameters: parameters)
        do throws(MetadataError) {
            _ = try await commits.commit(changes, records: [AuditRecord(event)])
            return true
        } catch .conflict {
            return false
        } catch {
            throw .index("\(error)")
        }
    }
}

extension VersionRecord {
    /// Whether its bytes are served from an adopted bucket, or were.
    fileprivate func isAdopted(from source: UInt16) -> Bool {
        segments.contains { $0.foreign?.source == source }
    }
}

/// Why an object was not adopted, or not moved.
package enum AdoptionError: Error, CustomStringConvertible {
    case noSuchBucket(String)
    case index(String)
    case storage(StorageError)
    /// Others keep changing the key.
    case busy(ObjectKey?)

    package var description: String {
        switch self {
        case .noSuchBucket(let name): "there is no bucket `\(name)` any more"
        case .index(let reason): "the index: \(reason)"
        case .storage(let error): "\(error)"
        case .busy(let key): "others keep changing \(key.map { "`\($0)`" } ?? "an object")"
        }
    }
}
