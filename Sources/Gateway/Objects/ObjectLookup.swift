import Metadata
package import Primitives
package import S3Model
import S3Wire

/// Finds the version that a read is about.
package struct ObjectLookup: Sendable {
    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// What a read found.
    package struct Found: Sendable {
        package var version: StoredVersion
        /// Nil for the whole object.
        package var range: Range<Int64>?
        package var visibleID: VersionID?
        /// Of the bytes that are read: the whole object, or the part that is asked for; nil for another range.
        package var checksum: Checksum?
    }

    /// The object or version, which must exist and be no delete marker.
    /// - Throws: `NoSuchKey`, `NoSuchVersion`, `MethodNotAllowed` for a delete marker named by its id; `AccessDenied`
    ///   in place of `NoSuchKey` where the caller may not list the bucket, so that reads are no oracle for what exists.
    package func existing(
        _ key: ObjectKey, _ id: VersionID?, in bucket: Bucket
    ) async throws(S3Error) -> StoredVersion {
        guard let id else {
            let current = try await gateway.versions.current(key, in: bucket.id)
            guard let current else { throw try await missing(key, bucket, marker: nil) }
            guard !current.record.isDeleteMarker else { throw try await missing(key, bucket, marker: current) }
            return current
        }
        guard let version = try await gateway.versions.version(id, of: key, in: bucket.id) else {
            throw S3Error(
                .noSuchVersion,
                details: [S3Error.Detail("Key", key.description), S3Error.Detail("VersionId", id.description)])
        }
        guard !version.record.isDeleteMarker else {
            throw S3Error(
                .methodNotAllowed,
                details: [
                    S3Error.Detail("Method", request.wire.method), S3Error.Detail("ResourceType", "DeleteMarker"),
                ],
                headers: [
                    S3Error.Detail("x-amz-delete-marker", "true"), S3Error.Detail("allow", "DELETE"),
                    S3Error.Detail("last-modified", version.record.modified.httpDate),
                    S3Error.Detail("x-amz-version-id", id.description),
                ])
        }
        return version
    }

    /// Whether the caller may list what begins with the key.
    package func mayList(_ key: ObjectKey, in bucket: String) async throws(S3Error) -> Bool {
        try await Authorizer(gateway, request).allows(
            RequiredAccess("s3:ListBucket", bucket: bucket, context: ["s3:prefix": [key.description]]))
    }

    private func missing(_ key: ObjectKey, _ bucket: Bucket, marker: StoredVersion?) async throws(S3Error) -> S3Error {
        guard try await mayList(key, in: bucket.name) else { return S3Error(.accessDenied) }
        var error = S3Error(.noSuchKey, details: [S3Error.Detail("Key", key.description)])
        if let marker {
            error.headers = [
                S3Error.Detail("x-amz-delete-marker", "true"),
                S3Error.Detail("x-amz-version-id", marker.id.description),
            ]
        }
        return error
    }

    /// The version of a read, with the range that it comes to, once its conditions hold.
    /// - Throws: also `NotModified`, `PreconditionFailed`, `InvalidRange`, `InvalidPartNumber`.
    package func read(
        _ key: ObjectKey, _ id: VersionID?, bucketName: String, range: ByteRangeRequest? = nil,
        ifRange: RangeValidator? = nil, partNumber: Int? = nil, preconditions: Preconditions, wantsSegments: Bool
    ) async throws(S3Error) -> Found {
        let bucket = try await gateway.buckets.bucket(bucketName)
        let version: StoredVersion
        if wantsSegments || partNumber != nil {
            version = try await gateway.versions.whole(bucket.id, key) { () async throws(S3Error) in
                try await existing(key, id, in: bucket)
            }
        } else {
            version = try await existing(key, id, in: bucket)
        }
        let record = version.record
        try Self.check(preconditions, record)
        var resolved: Range<Int64>?
        if let partNumber {
            resolved = try Self.part(partNumber, of: record)
        } else if let range, ifRange?.holds(etag: record.etag, modified: record.modified) ?? true {
            resolved = range.resolve(size: record.size)
            guard resolved != nil else { throw Self.unsatisfiable(range, record.size) }
        }
        return Found(
            version: version, range: resolved,
            visibleID: try await gateway.buckets.visible(version.id, in: bucket),
            checksum: Self.checksum(
                of: record, partNumber: partNumber, isRange: resolved != nil && partNumber == nil))
    }

    /// With a range, the checksum of the whole would tell the client that its bytes are damaged.
    private static func checksum(of record: VersionRecord, partNumber: Int?, isRange: Bool) -> Checksum? {
        guard let whole = record.checksum, !isRange else { return nil }
        guard let partNumber, !record.parts.isEmpty else { return Checksum(whole, parts: record.partCount) }
        let part = record.parts[partNumber - 1]
        guard !part.checksum.isEmpty else { return nil }
        return Checksum(
            algorithm: whole.algorithm, value: Base64.encode(part.checksum), isComposite: whole.isComposite)
    }

    /// What GetObject and HeadObject answer of what was found.
    package func output(of found: Found, for input: ObjectRead.Input) async throws(S3Error) -> ObjectRead.Output {
        var tagCount = found.version.record.tags.count
        if tagCount > 0 {
            // S3 tells how many tags there are only to whoever may read them.
            let authorizer = Authorizer(gateway, request)
            for access in ObjectReadAccess.accesses(
                "s3:GetObjectTagging", bucket: input.bucket, key: input.key, version: input.versionID)
            {
                if try await !authorizer.allows(access) { tagCount = 0 }
            }
        }
        return ObjectRead.Output(
            summary: found.version.record.summary(key: input.key, versionID: found.visibleID), range: found.range,
            tagCount: tagCount, checksum: found.checksum)
    }

    private static func check(_ preconditions: Preconditions, _ record: VersionRecord) throws(S3Error) {
        switch preconditions.evaluate(etag: record.etag, modified: record.modified) {
        case .proceed: return
        case .failed(let condition):
            throw S3Error(.preconditionFailed, details: [S3Error.Detail("Condition", condition)])
        case .notModified:
            throw S3Error(
                .notModified,
                headers: [
                    S3Error.Detail("etag", "\"\(record.etag)\""),
                    S3Error.Detail("last-modified", record.modified.httpDate),
                ])
        }
    }

    private static func unsatisfiable(_ range: ByteRangeRequest, _ size: Int64) -> S3Error {
        let asked =
            switch range {
            case .from(let first, let last): "bytes=\(first)-\(last.map(String.init) ?? "")"
            case .last(let count): "bytes=-\(count)"
            }
        return S3Error(
            .invalidRange,
            details: [S3Error.Detail("RangeRequested", asked), S3Error.Detail("ActualObjectSize", String(size))],
            headers: [S3Error.Detail("content-range", "bytes */\(size)")])
    }

    /// The bytes of one part. An object that was sent at once is its own part 1.
    private static func part(_ number: Int, of record: VersionRecord) throws(S3Error) -> Range<Int64> {
        guard !record.parts.isEmpty else {
            guard number == 1 else { throw unsatisfiablePart(number, 1) }
            return 0..<record.size
        }
        // Parts count from 1 in the order in which they stand in the object, whatever numbers they were sent under.
        guard number <= record.parts.count else { throw unsatisfiablePart(number, record.parts.count) }
        let start = record.parts.prefix(number - 1).reduce(0) { $0 + $1.size }
        return start..<(start + record.parts[number - 1].size)
    }

    private static func unsatisfiablePart(_ number: Int, _ count: Int) -> S3Error {
        S3Error(
            .invalidPartNumber,
            details: [
                S3Error.Detail("PartNumberRequested", String(number)),
                S3Error.Detail("ActualPartCount", String(count)),
            ])
    }
}
