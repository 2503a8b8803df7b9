import Audit
package import Cryptography
package import Metadata
package import Primitives
package import S3Model
import Storage

/// Stores the bytes of an object or part, and makes a new version current.
package struct ObjectWriter: Sendable {
    /// How often a commit is tried again after others changed the key meanwhile. Each round lets one of the contenders
    /// through, so this bounds how many writers of one key at once are surely served.
    private static let attempts = 200

    let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// Bytes that are stored and checked, and that nothing refers to yet.
    package struct Stored: Sendable {
        package var segments: [Segment]
        package var digests: PayloadDigests.Result
        package var algorithm: ChecksumAlgorithm

        /// The digest by which S3 names an object that was sent at once.
        package var etag: String { Hex.encode(digests.md5) }

        package var checksum: StoredChecksum {
            StoredChecksum(algorithm: algorithm.rawValue, value: digests.checksum, isComposite: false)
        }
    }

    /// Checks a body while storing it.
    ///
    /// - Parameter description: what the blob's footer says of it, but for what is known once the payload has ended.
    package func store(
        _ body: consuming Body, length: Int64?, checksum: ChecksumRequest, in bucket: Bucket,
        description: RecoveryRecord
    ) async throws(S3Error) -> Stored {
        let algorithm = try Self.algorithm(checksum.algorithm)
        var expectation = PayloadExpectation(algorithm: algorithm)
        expectation.length = length
        expectation.md5 = checksum.contentMD5
        expectation.checksum = checksum.value
        if checksum.isInTrailer {
            let (trailer, name) = (request.trailer, algorithm.headerName)
            expectation.trailingChecksum = { trailer?()?[name] }
        }
        if gateway.storage.mayShare(length: length) { request.beginSharing(in: gateway.sharing) }
        let digests = PayloadDigests()
        let source = DigestingSource(
            body, expectation, digests,
            beside: DigestingSource.Beside(lanes: gateway.lanes, launcher: gateway.launcher))
        let checked = Body(length: length, source: source)
        do {
            let segments = try await gateway.storage.store(
                checked, length: length, group: bucket.id.value,
                recovery: { [gateway] earlier in
                    guard let result = digests.result else { return [] }
                    return Self.completed(description, result, algorithm, earlier, in: gateway).encoded
                })
            guard let result = digests.result else {
                await gateway.storage.discard(segments)
                throw S3Error.hidden(.internalError, "storage: a store answered before the body had ended")
            }
            request.note(bytesIn: result.length)
            return Stored(segments: segments, digests: result, algorithm: algorithm)
        } catch let error as S3Error {
            throw error
        } catch let error as StorageError {
            throw S3Error(error)
        } catch {
            throw S3Error.hidden(.internalError, "storage: \(error)")
        }
    }

    /// What the footer says, now that the payload has ended.
    private static func completed(
        _ description: RecoveryRecord, _ digests: PayloadDigests.Result, _ algorithm: ChecksumAlgorithm,
        _ earlier: [BlobName], in gateway: Gateway
    ) -> RecoveryRecord {
        let stored = Stored(segments: [], digests: digests, algorithm: algorithm)
        var record = description
        record.version.size = digests.length
        (record.version.etag, record.version.checksum) = (stored.etag, stored.checksum)
        record.moment = RecoveryRecord.Moment(after: gateway.commits.latest, time: gateway.environment.now())
        record.earlier = earlier
        return record
    }

    /// The algorithm that a client names, or the one that S3 uses where it names none.
    package static func algorithm(_ name: String?) throws(S3Error) -> ChecksumAlgorithm {
        guard let name else { return .crc64nvme }
        guard let algorithm = ChecksumAlgorithm(rawValue: name) else {
            throw S3Error(.invalidRequest, "Checksum algorithm provided is unsupported.")
        }
        return algorithm
    }

    /// Makes a version whose bytes were stored just now current, once its conditions hold, whoever else writes the key
    /// meanwhile. Where that fails, the bytes are freed.
    ///
    /// - Parameter expecting: the bucket for which the bytes were stored; one made anew under the same name is another
    ///   one.
    /// - Returns: the version's id, or nil in a bucket that was never versioned.
    package func publish(
        _ record: VersionRecord, key: ObjectKey, bucketName: String, preconditions: Preconditions = Preconditions(),
        expecting: BucketID
    ) async throws(S3Error) -> VersionID? {
        #if PLANTED_BUGS
            var isChecked = false
        #endif
        return try await referring(to: record.segments) { () throws(S3Error) in
            let bucket = try await gateway.buckets.bucket(bucketName)
            guard bucket.id == expecting else { throw S3Error(.noSuchBucket) }
            let state = try await gateway.versions.state(of: key, in: bucket.record)
            #if PLANTED_BUGS
                if !(PlantedBug.conditionBeforeCommit.isPlanted && isChecked) {
                    try Self.check(preconditions, against: state)
                }
                isChecked = true
            #else
                try Self.check(preconditions, against: state)
            #endif
            var changes = Changes()
            changes.require(bucket.entry.key, unchangedFrom: bucket.entry)
            state.put(record, into: &changes)
            changes.refer(
                to: record.segments, from: ReferenceOwner.encoded(bucket.id, key), at: gateway.environment.now())
            guard let version = try await attempt(changes, bucket: bucket, key: key) else { return nil }
            let id: VersionID? =
                switch bucket.record.versioning {
                case .unversioned: nil
                case .suspended: .null
                case .enabled: .versioned(sequence: version, uid: record.uid)
                }
            return .some(id)
        }
    }

    /// Tries to commit what refers to bytes that were stored just now, until others are not faster.
    ///
    /// Where it fails and it is certain that no commit refers to the bytes, they are freed.
    ///
    /// - Parameter commit: one try; nil where others were faster.
    package func referring<Value: Sendable>(
        to segments: [Segment], _ commit: () async throws(S3Error) -> Value?
    ) async throws(S3Error) -> Value {
        do throws(S3Error) {
            for _ in 0..<Self.attempts {
                if let value = try await commit() { return value }
                try await checkStillWanted(segments)
            }
            throw S3Error(.operationAborted)
        } catch {
            if !request.isUndecided { await gateway.storage.discard(segments) }
            throw error
        }
    }

    /// Bytes whose blob was condemned meanwhile, since everything else in it went, can never be referred to; nor those
    /// that were placed on a store that has been taken away since.
    /// - Throws: `ServiceUnavailable`, so that the client sends them again.
    private func checkStillWanted(_ segments: [Segment]) async throws(S3Error) {
        for case let row? in try await gateway.versions.values(segments.map { Keys.trash($0.blob) })
        where !row.value.isEmpty {
            throw S3Error.hidden(.serviceUnavailable, "storage: a blob was condemned before its object was committed")
        }
        let lists = Set(segments.map(\.location.placementEpoch)).map { Keys.closedPlacement($0) }
        if try await gateway.versions.values(lists).contains(where: { $0 != nil }) {
            throw S3Error.hidden(.serviceUnavailable, "storage: a store was detached before the object was committed")
        }
    }

    /// One try: nil where others were faster.
    package func attempt(
        _ changes: Changes, bucket: Bucket, key: ObjectKey?, version: VersionID? = nil, suffix: String = ""
    ) async throws(S3Error) -> CommitVersion? {
        let event = request.event(
            in: gateway, bucket: bucket.name, key: key, version: version, suffix: suffix)
        do {
            let version = try await gateway.commits.commit(changes, records: [AuditRecord(event)])
            request.markRecorded()
            return version
        } catch .conflict {
            gateway.buckets.forget(bucket.name)
            return nil
        } catch {
            if case .unknown = error { request.markUndecided() }
            throw S3Error(error)
        }
    }

    /// Decides a conditional write by the state that the commit is conditional on.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html>
    package static func check(_ preconditions: Preconditions, against state: KeyState) throws(S3Error) {
        if let tags = preconditions.ifNoneMatch, let live = state.live, Preconditions.matches(tags, live.record.etag) {
            throw S3Error(.preconditionFailed, details: [S3Error.Detail("Condition", "If-None-Match")])
        }
        guard let tags = preconditions.ifMatch else { return }
        guard let live = state.live else {
            throw S3Error(.noSuchKey, details: [S3Error.Detail("Key", state.key.description)])
        }
        if !Preconditions.matches(tags, live.record.etag) {
            throw S3Error(.preconditionFailed, details: [S3Error.Detail("Condition", "If-Match")])
        }
    }
}
