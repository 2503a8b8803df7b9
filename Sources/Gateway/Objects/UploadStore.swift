package import Metadata
package import Primitives
package import S3Model

/// An upload in progress.
package struct OpenUpload: Sendable {
    package var id: UploadID
    package var key: ObjectKey
    package var entry: Entry
    package var record: UploadRecord

    /// What a part's checksum is computed with and held against: the upload's algorithm, where it has one.
    /// - Throws: `InvalidRequest` for a part whose checksum uses another one.
    package func checksum(of request: ChecksumRequest) throws(S3Error) -> ChecksumRequest {
        var request = request
        guard let wanted = record.checksumAlgorithm else { return request }
        if let given = request.algorithm, given != wanted {
            throw S3Error(
                .invalidRequest,
                "Checksum Type mismatch occurred, expected checksum Type: \(wanted.lowercased()), actual "
                    + "checksum Type: \(given.lowercased())"
            )
        }
        request.algorithm = wanted
        return request
    }

    /// What the footers of a part's blobs say.
    package func description(ofPart number: Int, bucket: Bucket) -> RecoveryRecord {
        RecoveryRecord(
            bucketName: bucket.name, bucket: bucket.id, key: key, version: record.template, upload: id,
            partNumber: number)
    }
}

/// A part of an upload, as it was read.
package struct UploadedPart: Sendable {
    package var entry: Entry
    package var record: PartRecord

    package var number: Int { Int(Keys.number(entry.key.suffix(2))) }
}

/// Uploads and their parts.
package struct UploadStore: Sendable {
    private static let attempts = 200

    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// An upload by what the client calls it, in whatever state, or nil.
    package func find(_ text: String, key: ObjectKey, in bucket: Bucket) async throws(S3Error) -> OpenUpload? {
        guard let id = UploadID(text) else { return nil }
        let row = Keys.upload(bucket.id, key, id)
        guard let entry = try await gateway.versions.values([row])[0] else { return nil }
        do {
            return OpenUpload(id: id, key: key, entry: entry, record: try UploadRecord(encoded: entry.value))
        } catch {
            throw S3Error.damagedRecord("the record of an upload does not parse")
        }
    }

    /// An upload that takes parts.
    /// - Throws: `NoSuchUpload`.
    package func open(_ text: String, key: ObjectKey, in bucket: Bucket) async throws(S3Error) -> OpenUpload {
        guard let upload = try await find(text, key: key, in: bucket), upload.record.state == .open else {
            throw Self.noSuchUpload(text)
        }
        return upload
    }

    package static func noSuchUpload(_ text: String) -> S3Error {
        S3Error(.noSuchUpload, details: [S3Error.Detail("UploadId", text)])
    }

    /// Makes stored bytes a part, in place of one of the same number. The upload must still be open. Where that fails,
    /// the bytes are freed.
    package func put(
        _ stored: ObjectWriter.Stored, number: Int, upload: OpenUpload, in bucket: Bucket
    ) async throws(S3Error) -> String {
        var part = PartRecord()
        (part.size, part.etag, part.modified) = (stored.digests.length, stored.etag, gateway.environment.now())
        (part.checksum, part.segments) = (stored.checksum, stored.segments)
        let row = Keys.part(bucket.id, upload.id, number)
        let writer = ObjectWriter(gateway, request)
        return try await writer.referring(to: stored.segments) { () throws(S3Error) in
            let entries = try await gateway.versions.values([row, upload.entry.key])
            #if PLANTED_BUGS
                let isWanted = PlantedBug.lateWrite.isPlanted || entries[1]?.version == upload.entry.version
            #else
                let isWanted = entries[1]?.version == upload.entry.version
            #endif
            guard isWanted else { throw Self.noSuchUpload(upload.id.description) }
            var changes = Changes()
            changes.put(
                part, at: row, inPlaceOf: entries[0], try entries[0].map(Self.decode), of: upload, in: bucket.id,
                now: part.modified)
            return try await writer.attempt(changes, bucket: bucket, key: upload.key).map { _ in part.etag }
        }
    }

    /// Up to `limit` parts after a number, and whether there are more. There may be fewer of them although there are
    /// more: the index ends a page after some megabytes.
    package func parts(
        of upload: OpenUpload, in bucket: Bucket, after number: Int, limit: Int
    ) async throws(S3Error) -> (parts: [UploadedPart], isTruncated: Bool) {
        guard limit > 0, number < ServiceLimits.partNumbers.upperBound else { return ([], false) }
        let all = Range<KeyBound>.prefix(Keys.parts(bucket.id, upload.id))
        let from = KeyBound(Keys.part(bucket.id, upload.id, number + 1))
        let page = try await gateway.versions.scan(Scan(from..<all.upperBound, limit: limit))
        var parts: [UploadedPart] = []
        for entry in page.entries { parts.append(UploadedPart(entry: entry, record: try Self.decode(entry))) }
        return (parts, page.next != nil)
    }

    /// Every part. They may be of several snapshots: whoever changes them requires all of them to be as they were read
    /// (`Changes.requireExactly`).
    package func allParts(of upload: OpenUpload, in bucket: Bucket) async throws(S3Error) -> [UploadedPart] {
        var parts: [UploadedPart] = []
        while true {
            let (more, isTruncated) = try await self.parts(
                of: upload, in: bucket, after: parts.last?.number ?? 0, limit: ServiceLimits.partNumbers.upperBound)
            parts += more
            if !isTruncated || more.isEmpty { return parts }
        }
    }

    static func decode(_ entry: Entry) throws(S3Error) -> PartRecord {
        do {
            return try PartRecord(encoded: entry.value)
        } catch {
            throw S3Error.damagedRecord("the record of a part does not parse")
        }
    }

    /// Ends an upload: its row, its parts and what they refer to.
    package func abort(
        _ text: String, key: ObjectKey, bucketName: String, ifInitiated: Timestamp?
    ) async throws(S3Error) {
        for _ in 0..<Self.attempts {
            let bucket = try await gateway.buckets.bucket(bucketName)
            let upload = try await open(text, key: key, in: bucket)
            if let ifInitiated, ifInitiated.seconds != upload.record.started.seconds {
                throw S3Error(.preconditionFailed)
            }
            var changes = Changes()
            // Every part is put on the condition that this entry is unchanged: once it is gone, none can come any more.
            changes.require(upload.entry.key, unchangedFrom: upload.entry)
            changes.remove(upload.entry.key)
            let parts = try await allParts(of: upload, in: bucket)
            changes.requireExactly(parts, of: upload, in: bucket)
            for part in parts {
                changes.release(part.record.segments)
                changes.remove(part.entry.key)
            }
            if try await ObjectWriter(gateway, request).attempt(changes, bucket: bucket, key: key) != nil { return }
        }
        throw S3Error(.operationAborted)
    }
}

extension Changes {
    /// Puts a part of an open upload in place of what was read under its number.
    mutating func put(
        _ part: PartRecord, at row: Key, inPlaceOf entry: Entry?, _ earlier: PartRecord?, of upload: OpenUpload,
        in bucket: BucketID, now: Timestamp
    ) {
        #if PLANTED_BUGS
            if !PlantedBug.lateWrite.isPlanted { require(upload.entry.key, unchangedFrom: upload.entry) }
        #else
            require(upload.entry.key, unchangedFrom: upload.entry)
        #endif
        require(row, unchangedFrom: entry)
        if let earlier { release(earlier.segments) }
        refer(to: part.segments, from: ReferenceOwner.encoded(bucket, upload.key), at: now)
        put(row, part.encoded)
    }

    /// The upload has these parts at the commit, as they were read, and no others. They come in the order of their
    /// numbers.
    ///
    /// Putting a part leaves the upload's own row as it is, so that parts do not wait for one another; whoever takes
    /// the parts away has to look at each.
    package mutating func requireExactly(_ parts: [UploadedPart], of upload: OpenUpload, in bucket: Bucket) {
        let all = Range<KeyBound>.prefix(Keys.parts(bucket.id, upload.id))
        var (from, next) = (all.lowerBound, ServiceLimits.partNumbers.lowerBound)
        for part in parts {
            // Between two numbers of which one follows the other there is nothing to look for.
            if part.number > next { require(.rangeEmpty(from..<KeyBound(part.entry.key))) }
            require(part.entry.key, unchangedFrom: part.entry)
            (from, next) = (KeyBound(part.entry.key + [0]), part.number + 1)
        }
        require(.rangeEmpty(from..<all.upperBound))
    }
}
