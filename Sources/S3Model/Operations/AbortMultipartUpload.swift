package import Primitives

/// Ends an upload and frees its parts.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_AbortMultipartUpload.html>
package enum AbortMultipartUpload: Operation {
    package static let name = "AbortMultipartUpload"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// The upload id, as the client wrote it.
        package var upload: String
        package var ifMatchInitiated: Timestamp?

        package init(bucket: String, key: ObjectKey, upload: String, ifMatchInitiated: Timestamp? = nil) {
            (self.bucket, self.key, self.upload, self.ifMatchInitiated) = (bucket, key, upload, ifMatchInitiated)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package init() {}
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:AbortMultipartUpload", bucket: input.bucket, key: input.key)]
    }
}
