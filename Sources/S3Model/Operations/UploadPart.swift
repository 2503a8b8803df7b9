package import Primitives

/// Stores a part of an upload.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_UploadPart.html>
package enum UploadPart: Operation {
    package static let name = "UploadPart"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.part

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// The upload id, as the client wrote it.
        package var upload: String
        package var partNumber: Int
        package var length: Int64
        package var checksum: ChecksumRequest

        package init(
            bucket: String, key: ObjectKey, upload: String, partNumber: Int, length: Int64,
            checksum:
                ChecksumRequest
        ) {
            (self.bucket, self.key, self.upload, self.partNumber) = (bucket, key, upload, partNumber)
            (self.length, self.checksum) = (length, checksum)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var etag: String
        package var checksum: Checksum?

        package init(etag: String, checksum: Checksum? = nil) {
            (self.etag, self.checksum) = (etag, checksum)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [ObjectWriteAccess.part(bucket: input.bucket, key: input.key)]
    }
}
