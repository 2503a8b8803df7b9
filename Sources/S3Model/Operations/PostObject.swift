package import Primitives

/// Stores an object that a browser sends as a form.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
package enum PostObject: Operation {
    package static let name = "PostObject"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.write

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        package var attributes: ObjectAttributes
        package var checksum: ChecksumRequest
        /// Where the browser is sent after success.
        package var redirect: String?
        /// 200, 201 or 204.
        package var status: Int

        package init(
            bucket: String, key: ObjectKey, attributes: ObjectAttributes, checksum: ChecksumRequest,
            redirect: String? = nil, status: Int
        ) {
            (self.bucket, self.key, self.attributes, self.checksum) = (bucket, key, attributes, checksum)
            (self.redirect, self.status) = (redirect, status)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var etag: String
        package var versionID: VersionID?
        package var checksum: Checksum?
        /// The object's URL.
        package var location: String

        package init(etag: String, versionID: VersionID? = nil, checksum: Checksum? = nil, location: String) {
            (self.etag, self.versionID, self.checksum, self.location) = (etag, versionID, checksum, location)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectWriteAccess.accesses(
            bucket: input.bucket, key: input.key, attributes: input.attributes, headers: headerUse)
    }
}
