import Metadata
package import Primitives
package import S3Model

extension ObjectWriter {
    /// An object that is stored and current.
    package struct Created: Sendable {
        package var etag: String
        package var checksum: Checksum
        package var size: Int64
        /// Nil in a bucket that was never versioned.
        package var versionID: VersionID?
    }

    /// Stores a body as an object and makes it current, once every check on it and every condition holds.
    ///
    /// - Parameter length: bytes of the body, where they are known.
    package func create(
        _ key: ObjectKey, in bucket: Bucket, _ attributes: ObjectAttributes, body: consuming Body, length: Int64?,
        checksum: ChecksumRequest, preconditions: Preconditions = Preconditions()
    ) async throws(S3Error) -> Created {
        var record = VersionRecord(
            attributes, modified: gateway.environment.now(), uid: gateway.environment.random())
        var description = RecoveryRecord(bucketName: bucket.name, bucket: bucket.id, key: key, version: record)
        description.preconditions = preconditions
        let stored = try await store(
            body, length: length, checksum: checksum, in: bucket, description: description)
        (record.size, record.etag, record.checksum) = (stored.digests.length, stored.etag, stored.checksum)
        record.segments = stored.segments
        let id = try await publish(
            record, key: key, bucketName: bucket.name, preconditions: preconditions, expecting: bucket.id)
        return Created(
            etag: stored.etag, checksum: Checksum(stored.checksum), size: stored.digests.length, versionID: id)
    }
}
