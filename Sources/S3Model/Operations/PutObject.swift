package import Primitives

/// Stores an object.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutObject.html>
package enum PutObject: Operation {
    package static let name = "PutObject"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.write

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        package var attributes: ObjectAttributes
        /// Bytes of the body once every framing is removed.
        package var length: Int64
        package var checksum: ChecksumRequest
        package var preconditions: Preconditions

        package init(
            bucket: String, key: ObjectKey, attributes: ObjectAttributes, length: Int64,
            checksum:
                ChecksumRequest, preconditions: Preconditions
        ) {
            (self.bucket, self.key, self.attributes, self.length) = (bucket, key, attributes, length)
            (self.checksum, self.preconditions) = (checksum, preconditions)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var etag: String
        package var versionID: VersionID?
        package var checksum: Checksum?
        package var size: Int64

        package init(etag: String, versionID: VersionID? = nil, checksum: Checksum? = nil, size: Int64) {
            (self.etag, self.versionID, self.checksum, self.size) = (etag, versionID, checksum, size)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectWriteAccess.accesses(
            bucket: input.bucket, key: input.key, attributes: input.attributes, preconditions: input.preconditions,
            headers: headerUse)
    }
}
