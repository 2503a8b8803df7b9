import Metadata
package import Primitives
package import S3Model

/// Replaces the tags of a version, which changes neither its ETag nor its time.
package struct ObjectTagChange: Sendable {
    private static let attempts = 200

    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    package func replace(
        _ tags: [Tag], key: ObjectKey, versionID: VersionID?, bucketName: String
    ) async throws(S3Error) -> VersionID? {
        for _ in 0..<Self.attempts {
            let bucket = try await gateway.buckets.bucket(bucketName)
            let version = try await ObjectLookup(gateway, request).existing(key, versionID, in: bucket)
            var record = version.record
            record.tags = tags.map { ObjectTag(key: $0.key, value: $0.value) }
            var changes = Changes()
            changes.require(version.entry.key, unchangedFrom: version.entry)
            changes.put(version.entry.key, record.settled)
            let visible = bucket.visible(version.id)
            let committed = try await ObjectWriter(gateway, request).attempt(
                changes, bucket: bucket, key: key, version: visible)
            if committed != nil { return visible }
        }
        throw S3Error(.operationAborted)
    }
}
