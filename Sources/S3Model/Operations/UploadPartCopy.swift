package import Primitives

/// Stores a part of an upload from an object that exists.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPartCopy.html>
package enum UploadPartCopy: Operation {
    package static let name = "UploadPartCopy"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.part

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// The upload id, as the client wrote it.
        package var upload: String
        package var partNumber: Int
        package var source: CopySource
        package var range: Range<Int64>?
        package var sourcePreconditions: Preconditions

        package init(
            bucket: String, key: ObjectKey, upload: String, partNumber: Int, source: CopySource,
            range:
                Range<Int64>? = nil, sourcePreconditions: Preconditions
        ) {
            (self.bucket, self.key, self.upload, self.partNumber) = (bucket, key, upload, partNumber)
            (self.source, self.range, self.sourcePreconditions) = (source, range, sourcePreconditions)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var etag: String
        package var modified: Timestamp
        package var sourceVersionID: VersionID?
        package var checksum: Checksum?

        package init(
            etag: String, modified: Timestamp, sourceVersionID: VersionID? = nil, checksum: Checksum? = nil
        ) {
            self.etag = etag
            self.modified = modified
            self.sourceVersionID = sourceVersionID
            self.checksum = checksum
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        input.source.accesses
            + [ObjectWriteAccess.part(bucket: input.bucket, key: input.key, source: input.source)]
    }
}
