import Metadata
package import Primitives
package import S3Model

/// Deletes objects and versions.
package struct ObjectDeletion: Sendable {
    private static let attempts = 200

    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// Deletes a key, or one version of it.
    ///
    /// - Parameter suffix: tells apart the records of one request.
    package func delete(
        _ key: ObjectKey, _ id: VersionID?, bucketName: String, preconditions: DeletePreconditions,
        suffix: String = ""
    ) async throws(S3Error) -> DeleteObject.Output {
        for _ in 0..<Self.attempts {
            let bucket = try await gateway.buckets.bucket(bucketName)
            let state = try await gateway.versions.state(of: key, in: bucket.record)
            var changes = Changes()
            changes.require(bucket.entry.key, unchangedFrom: bucket.entry)
            let outcome: Outcome
            if let id {
                outcome = try await deleteVersion(id, state, bucket, preconditions, &changes)
            } else {
                outcome = try deleteCurrent(state, preconditions, &changes)
            }
            let writer = ObjectWriter(gateway, request)
            let committed = try await writer.attempt(
                changes, bucket: bucket, key: key, version: outcome.recorded, suffix: suffix)
            if let committed { return outcome.output(bucket: bucket, commit: committed) }
        }
        throw S3Error(.operationAborted)
    }

    /// What a delete comes to, but for what its commit adds.
    private struct Outcome {
        var makesMarker = false
        var markerUID: UInt64 = 0
        var deletedMarker = false
        /// The version that was named or removed.
        var version: VersionID?

        /// The version id for the record.
        var recorded: VersionID? { version }

        func output(bucket: Bucket, commit: UInt64) -> DeleteObject.Output {
            guard makesMarker else { return DeleteObject.Output(isDeleteMarker: deletedMarker, versionID: version) }
            let id: VersionID =
                bucket.record.versioning == .suspended ? .null : .versioned(sequence: commit, uid: markerUID)
            return DeleteObject.Output(isDeleteMarker: true, versionID: id)
        }
    }

    private func deleteCurrent(
        _ state: KeyState, _ preconditions: DeletePreconditions, _ changes: inout Changes
    ) throws(S3Error) -> Outcome {
        try Self.check(preconditions, state.live ?? state.marker, key: state.key)
        var marker = VersionRecord()
        marker.uid = gateway.environment.random()
        marker.modified = gateway.environment.now()
        var outcome = Outcome()
        outcome.makesMarker = state.delete(marker: marker, into: &changes)
        outcome.markerUID = marker.uid
        return outcome
    }

    private func deleteVersion(
        _ id: VersionID, _ state: KeyState, _ bucket: Bucket, _ preconditions: DeletePreconditions,
        _ changes: inout Changes
    ) async throws(S3Error) -> Outcome {
        var outcome = Outcome()
        outcome.version = bucket.record.versioning == .unversioned ? nil : id
        let known = [state.live, state.marker, state.nullVersion].compactMap { $0 }.first { $0.matches(id) }
        var found = known
        if found == nil { found = try await gateway.versions.wholeVersion(id, of: state.key, in: bucket.id) }
        guard let found else {
            // Deleting a version that is not there succeeds, as in S3; the state must still be so.
            state.conditions(into: &changes)
            return outcome
        }
        try Self.check(preconditions, found, key: state.key)
        let successor = try await gateway.versions.newestNoncurrent(state.key, in: bucket.id)
        state.delete(found, successor: successor, into: &changes)
        outcome.deletedMarker = found.record.isDeleteMarker
        return outcome
    }

    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    private static func check(
        _ preconditions: DeletePreconditions, _ version: StoredVersion?, key: ObjectKey
    ) throws(S3Error) {
        guard !preconditions.isEmpty else { return }
        guard let record = version?.record else {
            // Where nothing is, S3 takes a condition on size or time as met, and one on the tag as not found.
            guard preconditions.etag != nil else { return }
            throw S3Error(.noSuchKey, details: [S3Error.Detail("Key", key.description)])
        }
        guard !record.isDeleteMarker else {
            throw S3Error(.preconditionFailed, details: [S3Error.Detail("Condition", "If-Match")])
        }
        if let etag = preconditions.etag, !Preconditions.matches([etag], record.etag) {
            throw S3Error(.preconditionFailed, details: [S3Error.Detail("Condition", "If-Match")])
        }
        if let modified = preconditions.modified, modified.seconds != record.modified.seconds {
            throw S3Error(
                .preconditionFailed, details: [S3Error.Detail("Condition", "x-amz-if-match-last-modified-time")])
        }
        if let size = preconditions.size, size != record.size {
            throw S3Error(.preconditionFailed, details: [S3Error.Detail("Condition", "x-amz-if-match-size")])
        }
    }
}
