import Audit
package import Metadata
import Primitives
package import S3Model

/// Changes to buckets and their configurations.
package enum BucketChange {
    private static let attempts = 20

    /// Commits a change together with the request's record. False where a condition did not hold.
    package static func commit(
        _ changes: Changes, bucket: String, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Bool {
        gateway.buckets.forget(bucket)
        defer { gateway.buckets.forget(bucket) }
        do {
            let record = AuditRecord(request.event(in: gateway, bucket: bucket))
            _ = try await gateway.commits.commit(changes, records: [record])
            request.markRecorded()
            return true
        } catch .conflict {
            return false
        } catch {
            if case .unknown = error { request.markUndecided() }
            throw S3Error(error)
        }
    }

    /// Changes a bucket that exists, again where others changed it meanwhile.
    package static func update(
        _ name: String, for request: RequestContext, in gateway: Gateway,
        _ change: @Sendable (Bucket, inout Changes) async throws(S3Error) -> Void
    ) async throws(S3Error) {
        for _ in 0..<attempts {
            gateway.buckets.forget(name)
            let bucket = try await gateway.buckets.bucket(name)
            var changes = Changes()
            changes.require(bucket.entry.key, unchangedFrom: bucket.entry)
            try await change(bucket, &changes)
            if try await commit(changes, bucket: name, for: request, in: gateway) { return }
        }
        throw S3Error(.operationAborted)
    }

    /// Puts or removes one configuration of a bucket.
    package static func configure(
        _ name: String, _ kind: BucketConfigurationKind, _ value: [UInt8]?, for request: RequestContext,
        in gateway: Gateway
    ) async throws(S3Error) {
        try await update(name, for: request, in: gateway) { bucket, changes throws(S3Error) in
            let key = Keys.configuration(bucket.id, kind)
            if let value { changes.put(key, value) } else { changes.remove(key) }
        }
    }

    /// A configuration of a bucket, or nil.
    package static func configuration(
        _ name: String, _ kind: BucketConfigurationKind, in gateway: Gateway
    ) async throws(S3Error) -> [UInt8]? {
        let bucket = try await gateway.buckets.bucket(name)
        return try await gateway.versions.values([Keys.configuration(bucket.id, kind)])[0]?.value
    }
}
