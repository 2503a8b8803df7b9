import Cryptography
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
    package func description(
        ofPart number: Int, bucket: Bucket
    ) -> @Sendable (PayloadDigests.Result) -> [UInt8] {
        let (template, id, key) = (record.template, id, key)
        return { digests in
            var version = template
            (version.size, version.etag) = (digests.length, Hex.encode(digests.md5))
            return RecoveryRecord(
                bucketName: bucket.name, bucket: bucket.id, key: key, version: version, upload: id, partNumber: number
            ).encoded
        }
    }
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

    /// Makes stored bytes a part, in place of one of the same number. The upload must still be open.
    package func put(
        _ stored: ObjectWriter.Stored, number: Int, upload: OpenUpload, in bucket: Bucket
    ) async throws(S3Error) -> String {
        var part = PartRecord()
        (part.size, part.etag, part.modified) = (stored.digests.length, stored.etag, gateway.environment.now())
        (part.checksum, part.segments) = (stored.checksum, stored.segments)
        let row = Keys.part(bucket.id, upload.id, number)
        for _ in 0..<Self.attempts {
            let entries = try await gateway.versions.values([row, upload.entry.key])
            guard entries[1]?.version == upload.entry.version else { throw Self.noSuchUpload(upload.id.description) }
            var changes = Changes()
            changes.require(upload.entry.key, unchangedFrom: upload.entry)
            changes.require(row, unchangedFrom: entries[0])
            if let earlier = entries[0] { changes.release(try Self.decode(earlier).segments) }
            changes.refer(
                to: stored.segments, from: ReferenceOwner.encoded(bucket.id, upload.key), at: part.modified)
            changes.put(row, part.encoded)
            let writer = ObjectWriter(gateway, request)
            if try await writer.attempt(changes, bucket: bucket, key: upload.key) != nil { return part.etag }
        }
        throw S3Error(.operationAborted)
    }

    /// Up to `limit` parts after a number, and whether there are more.
    package func parts(
        of upload: OpenUpload, in bucket: Bucket, after number: Int, limit: Int
    ) async throws(S3Error) -> (parts: [(Int, PartRecord)], isTruncated: Bool) {
        guard limit > 0, number < ServiceLimits.partNumbers.upperBound else { return ([], false) }
        let all = Range<KeyBound>.prefix(Keys.parts(bucket.id, upload.id))
        let from = KeyBound(Keys.part(bucket.id, upload.id, number + 1))
        let page = try await gateway.versions.scan(Scan(from..<all.upperBound, limit: limit + 1))
        var parts: [(Int, PartRecord)] = []
        for entry in page.entries.prefix(limit) {
            parts.append((Int(Keys.number(entry.key.suffix(2))), try Self.decode(entry)))
        }
        return (parts, page.entries.count > limit)
    }

    package static func decode(_ entry: Entry) throws(S3Error) -> PartRecord {
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
            let (parts, _) = try await parts(
                of: upload, in: bucket, after: 0, limit: ServiceLimits.partNumbers.upperBound)
            for (number, part) in parts {
                let row = Keys.part(bucket.id, upload.id, number)
                changes.require(.present(row))
                changes.release(part.segments)
                changes.remove(row)
            }
            changes.requireNoOthers(parts.map(\.0), upload, bucket)
            if try await ObjectWriter(gateway, request).attempt(changes, bucket: bucket, key: key) != nil { return }
        }
        throw S3Error(.operationAborted)
    }
}

extension Changes {
    /// No part but these exists at the commit: between two of them, before the first and after the last there is none.
    package mutating func requireNoOthers(_ numbers: [Int], _ upload: OpenUpload, _ bucket: Bucket) {
        var from = KeyBound(Keys.part(bucket.id, upload.id, 0))
        for number in numbers {
            let row = KeyBound(Keys.part(bucket.id, upload.id, number))
            if from < row { require(.rangeEmpty(from..<row)) }
            from = KeyBound(row.key + [0])
        }
        require(.rangeEmpty(from..<Range<KeyBound>.prefix(Keys.parts(bucket.id, upload.id)).upperBound))
    }
}
