package import Metadata
package import Policy
import Primitives
package import S3Model
import Synchronization

/// A bucket with what requests to it need: its record, its policy, and how far it keeps the public out.
package struct Bucket: Sendable {
    package var name: String
    package var record: BucketRecord
    /// The entry of the record: writes to the bucket are conditional on it.
    package var entry: Entry
    package let policy: PolicyDocument?
    package let publicAccess: PublicAccessRecord?
    /// The entry of `publicAccess`: a policy that depends on it is put conditional on it.
    package let publicAccessEntry: Entry?
    /// Whether the policy, since it is public, lets in nobody from outside the owner's account.
    package let isRestricted: Bool

    package init(
        name: String, record: BucketRecord, entry: Entry, policy: PolicyDocument? = nil,
        publicAccess: PublicAccessRecord? = nil, publicAccessEntry: Entry? = nil
    ) {
        (self.name, self.record, self.entry, self.policy) = (name, record, entry, policy)
        (self.publicAccess, self.publicAccessEntry) = (publicAccess, publicAccessEntry)
        isRestricted = publicAccess?.restrictPublicBuckets == true && policy?.isPublic == true
    }

    package var id: BucketID { record.id }
}

/// Finds buckets by name, and remembers some.
///
/// A write is conditional on the bucket's record, so a stale one costs a retry and never a wrong write. This process
/// forgets a bucket when it changes it.
package final class BucketDirectory: Sendable {
    /// How many buckets are remembered; beyond that, all are forgotten, which costs a read each.
    private static let capacity = 10_000

    private let index: any MetadataIndex
    private let policyCapacity: Int
    private let cache = Mutex(Cache())

    private struct Cache {
        var buckets: [String: Bucket] = [:]
        /// Grows with each change, so that a bucket read before a change is not remembered after it.
        var generation: UInt64 = 0
        /// Of the policies that are remembered, and of some that were and are forgotten.
        var policyBytes = 0
    }

    /// - Parameter policyCapacity: how many bytes of policies, as they were put, are remembered; beyond that, all
    ///   buckets are forgotten. A policy that was read may take a hundred times the room.
    package init(index: any MetadataIndex, policyCapacity: Int = 4 << 20) {
        (self.index, self.policyCapacity) = (index, policyCapacity)
    }

    /// The bucket of this name.
    /// - Throws: `NoSuchBucket`, or `InvalidBucketName` for a name that no bucket can have.
    package func bucket(_ name: String) async throws(S3Error) -> Bucket {
        if let bucket = try await find(name) { return bucket }
        throw S3Error(
            BucketName.isValid(name) ? .noSuchBucket : .invalidBucketName,
            details: [S3Error.Detail("BucketName", name)])
    }

    /// The bucket of this name, or nil.
    package func find(_ name: String) async throws(S3Error) -> Bucket? {
        let (known, generation) = cache.withLock { ($0.buckets[name], $0.generation) }
        if let known { return known }
        do {
            guard let entry = try await index.values(of: [Keys.bucket(name)])[0] else { return nil }
            let record = try BucketRecord(encoded: entry.value)
            let configurations = try await index.values(
                of: [Keys.configuration(record.id, .policy), Keys.configuration(record.id, .publicAccessBlock)])
            let bucket = Bucket(
                name: name, record: record, entry: entry, policy: try Self.parse(configurations[0], name),
                publicAccess: try configurations[1].map { try PublicAccessRecord(encoded: $0.value) },
                publicAccessEntry: configurations[1])
            remember(bucket, policyBytes: configurations[0]?.value.count ?? 0, generation)
            return bucket
        } catch let error as MetadataError {
            throw S3Error(error)
        } catch {
            // A bucket whose policy or block cannot be read must not be served as if it had none (GHSA-j548).
            throw S3Error.damagedRecord("the record, policy or public access block of a bucket does not parse")
        }
    }

    private static func parse(_ entry: Entry?, _ bucket: String) throws -> PolicyDocument? {
        guard let entry else { return nil }
        return try PolicyDocument.parse(stored: entry.value, bucket: bucket)
    }

    private func remember(_ bucket: Bucket, policyBytes: Int, _ generation: UInt64) {
        cache.withLock { cache in
            guard cache.generation == generation else { return }
            if cache.buckets.count >= Self.capacity || cache.policyBytes > policyCapacity - policyBytes {
                cache.buckets.removeAll(keepingCapacity: true)
                cache.policyBytes = 0
            }
            cache.policyBytes += policyBytes
            cache.buckets[bucket.name] = bucket
        }
    }

    /// Forgets a bucket that this process is changing or has met a conflict on.
    package func forget(_ name: String) {
        cache.withLock { cache in
            cache.generation += 1
            cache.buckets[name] = nil
        }
    }
}
