import Audit
import Cryptography
import Metadata
import Primitives
package import S3Model

/// Makes an object of the parts of an upload.
///
/// One commit removes the upload's parts, leaves its row as a tombstone and publishes the object, which refers to the
/// same blobs. It is conditional on every part being as it was read and on there being no other, so that a part that is
/// replaced or added meanwhile makes it look again. So there is no state between, and nothing to resume after a crash;
/// the tombstone answers a client's retry with the first answer.
package struct UploadCompletion: Sendable {
    private static let attempts = 200
    /// With more parts than this, the list stands in a record of its own, so that listings stay short.
    private static let inlineParts = 8

    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    package func complete(
        _ input: CompleteMultipartUpload.Input
    ) async throws(S3Error) -> CompleteMultipartUpload.Output {
        let store = UploadStore(gateway, request)
        for _ in 0..<Self.attempts {
            let bucket = try await gateway.buckets.bucket(input.bucket)
            guard let upload = try await store.find(input.upload, key: input.key, in: bucket) else {
                throw UploadStore.noSuchUpload(input.upload)
            }
            if let result = upload.record.result { return Self.output(input, bucket, upload.entry, result) }
            let changes: Changes
            var record: VersionRecord
            do throws(S3Error) {
                (changes, record) = try await prepare(input, upload, in: bucket)
            } catch {
                // Whoever completed the upload meanwhile took its parts along and stored the object, so that neither
                // says anything of this request. What the upload is now decides.
                let now = try await store.find(input.upload, key: input.key, in: bucket)
                guard now?.entry.version == upload.entry.version else { continue }
                throw error
            }
            let committed = try await ObjectWriter(gateway, request).attempt(changes, bucket: bucket, key: input.key)
            guard let committed else { continue }
            var entry = upload.entry
            entry.version = committed
            return Self.output(input, bucket, entry, Self.result(record, bucket, gateway.environment.now()))
        }
        throw S3Error(.operationAborted)
    }

    /// What completing does, once parts and conditions hold.
    private func prepare(
        _ input: CompleteMultipartUpload.Input, _ upload: OpenUpload, in bucket: Bucket
    ) async throws(S3Error) -> (Changes, VersionRecord) {
        let parts = try await UploadStore(gateway, request).allParts(of: upload, in: bucket)
        let chosen = try PartSelection.choose(
            input.parts, from: parts.map { ($0.number, $0.record) }, upload: upload)
        var record = try assemble(chosen, upload: upload, input: input)
        record.uid = gateway.environment.random()
        let state = try await gateway.versions.state(of: input.key, in: bucket.record)
        try ObjectWriter.check(input.preconditions, against: state)
        let changes = changes(
            bucket: bucket, upload: upload, state: state, record: &record, parts: parts,
            chosen: Set(chosen.map(\.number)))
        return (changes, record)
    }

    private func changes(
        bucket: Bucket, upload: OpenUpload, state: KeyState, record: inout VersionRecord,
        parts: [UploadedPart], chosen: Set<Int>
    ) -> Changes {
        var changes = Changes()
        changes.require(bucket.entry.key, unchangedFrom: bucket.entry)
        #if PLANTED_BUGS
            let isRequired = !PlantedBug.completeRacesAbort.isPlanted
        #else
            let isRequired = true
        #endif
        if isRequired {
            changes.require(upload.entry.key, unchangedFrom: upload.entry)
            changes.requireExactly(parts, of: upload, in: bucket)
        }
        for part in parts {
            changes.remove(part.entry.key)
            if !chosen.contains(part.number) { changes.release(part.record.segments) }
        }
        var tombstone = upload.record
        tombstone.state = .completed
        tombstone.template = VersionRecord()
        tombstone.result = Self.result(record, bucket, gateway.environment.now())
        changes.put(upload.entry.key, tombstone.encoded)
        if record.parts.count > Self.inlineParts {
            let manifest = ManifestRecord(segments: record.segments, parts: record.parts)
            changes.put(Keys.manifest(bucket.id, upload.key, uid: record.uid), manifest.encoded)
            (record.segments, record.parts, record.hasManifest) = ([], [], true)
        }
        state.put(record, into: &changes)
        return changes
    }

    /// The object that the chosen parts make.
    private func assemble(
        _ chosen: [PartSelection.Chosen], upload: OpenUpload, input: CompleteMultipartUpload.Input
    ) throws(S3Error) -> VersionRecord {
        var record = upload.record.template
        record.modified = gateway.environment.now()
        record.size = chosen.reduce(0) { $0 + $1.part.size }
        guard record.size <= ServiceLimits.objectSize else { throw S3Error(.entityTooLarge) }
        if let expected = input.size, expected != record.size {
            throw S3Error(
                .invalidRequest,
                "The provided 'x-amz-mp-object-size' header value \(expected) does not match what was computed: "
                    + "\(record.size)"
            )
        }
        record.segments = chosen.flatMap(\.part.segments)
        record.parts = chosen.map {
            StoredPart(
                number: $0.number, size: $0.part.size,
                checksum: upload.record.checksumAlgorithm == nil ? [] : $0.part.checksum?.value ?? [])
        }
        record.partCount = chosen.count
        record.etag = try PartSelection.etag(chosen)
        record.checksum = try PartSelection.checksum(chosen, upload: upload)
        try PartSelection.check(record.checksum, against: input.checksum, upload: upload)
        return record
    }

    private static func result(_ record: VersionRecord, _ bucket: Bucket, _ now: Timestamp) -> UploadRecord.Result {
        UploadRecord.Result(
            etag: record.etag, uid: record.uid, isNull: bucket.record.versioning != .enabled,
            checksum: record.checksum, completed: now)
    }

    private static func output(
        _ input: CompleteMultipartUpload.Input, _ bucket: Bucket, _ entry: Entry, _ result: UploadRecord.Result
    ) -> CompleteMultipartUpload.Output {
        let id: VersionID? =
            result.isNull ? bucket.visible(.null) : .versioned(sequence: entry.version, uid: result.uid)
        return CompleteMultipartUpload.Output(
            bucket: input.bucket, key: input.key, etag: result.etag, versionID: id,
            checksum: result.checksum.map { Checksum($0, parts: input.parts.count) })
    }
}
