package import Metadata
import Primitives
package import S3Model

/// The source side of copies.
package struct CopyReader: Sendable {
    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// What a copy reads.
    package struct Source: Sendable {
        package var version: StoredVersion
        package var visibleID: VersionID?

        /// A range that lies within the source, or all of it.
        /// - Throws: `InvalidArgument`.
        package func range(_ wanted: Range<Int64>?) throws(S3Error) -> Range<Int64> {
            let size = version.record.size
            guard let wanted else { return 0..<size }
            guard wanted.upperBound <= size else {
                throw S3Error(
                    .invalidArgument,
                    "Range specified is not valid for source object of size: \(size)",
                    details: [S3Error.Detail("ArgumentName", "x-amz-copy-source-range")])
            }
            return wanted
        }
    }

    /// The source of a copy, once its conditions hold. That it may be read was decided before.
    package func source(_ source: CopySource, preconditions: Preconditions) async throws(S3Error) -> Source {
        let bucket = try await gateway.buckets.bucket(source.bucket)
        try ExpectedOwner(request.wire, ExpectedOwner.ofSource).check(bucket)
        let found: StoredVersion
        do {
            found = try await gateway.versions.whole(bucket.id, source.key) { () async throws(S3Error) in
                try await ObjectLookup(gateway, request).existing(source.key, source.versionID, in: bucket)
            }
        } catch  where error.code == .methodNotAllowed {
            throw S3Error(
                .invalidRequest,
                "The source of a copy request may not specifically refer to a delete marker by version id.")
        }
        switch preconditions.evaluate(etag: found.record.etag, modified: found.record.modified) {
        case .proceed: break
        // For copies, S3 answers every condition that does not hold with 412.
        case .notModified, .failed: throw S3Error(.preconditionFailed)
        }
        return Source(version: found, visibleID: try await gateway.buckets.visible(found.id, in: bucket))
    }

    /// The bytes of a copy.
    package struct Copy: Sendable {
        package var segments: [Segment]
        package var etag: String
        package var checksum: StoredChecksum?
    }

    /// Copies the bytes of a source; its ETag and checksum become those of an object that was sent at once.
    package func copy(
        _ source: Source, _ input: CopyObject.Input, template: VersionRecord, to bucket: Bucket
    ) async throws(S3Error) -> Copy {
        let from = source.version.record
        var wanted = ChecksumRequest()
        wanted.algorithm = input.checksumAlgorithm ?? from.checksum?.algorithm
        var description = RecoveryRecord(
            bucketName: bucket.name, bucket: bucket.id, key: input.key, version: template)
        description.preconditions = input.preconditions
        let stored = try await ObjectWriter(gateway, request).store(
            ObjectReader(gateway.storage).body(of: from, range: 0..<from.size), length: from.size, checksum: wanted,
            in: bucket, description: description)
        return Copy(segments: stored.segments, etag: stored.etag, checksum: stored.checksum)
    }
}
