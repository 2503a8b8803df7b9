package import Primitives

/// Makes an object of the parts of an upload.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CompleteMultipartUpload.html>
package enum CompleteMultipartUpload: Operation {
    package static let name = "CompleteMultipartUpload"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.completion

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// The upload id, as the client wrote it.
        package var upload: String
        package var parts: [Part]
        package var preconditions: Preconditions
        /// The checksum of the whole object, where the client gives it.
        package var checksum: ChecksumRequest
        /// The size that the client expects.
        package var size: Int64?

        package init(
            bucket: String, key: ObjectKey, upload: String, parts: [Part] = [], preconditions: Preconditions,
            checksum: ChecksumRequest, size: Int64? = nil
        ) {
            (self.bucket, self.key, self.upload, self.parts) = (bucket, key, upload, parts)
            (self.preconditions, self.checksum, self.size) = (preconditions, checksum, size)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        package var etag: String
        package var versionID: VersionID?
        package var checksum: Checksum?

        package init(
            bucket: String, key: ObjectKey, etag: String, versionID: VersionID? = nil, checksum: Checksum? = nil
        ) {
            (self.bucket, self.key, self.etag, self.versionID) = (bucket, key, etag, versionID)
            self.checksum = checksum
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectWriteAccess.accesses(
            bucket: input.bucket, key: input.key, preconditions: input.preconditions, headers: headerUse)
    }

    /// A part, as the client lists it.
    package struct Part: Sendable, Hashable {
        package var number: Int
        package var etag: String
        /// By algorithm, as S3 spells it; decoded.
        package var checksums: [String: [UInt8]]

        package init(number: Int, etag: String, checksums: [String: [UInt8]] = [:]) {
            (self.number, self.etag, self.checksums) = (number, etag, checksums)
        }
    }
}
