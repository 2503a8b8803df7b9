package import Primitives

/// Begins an upload in parts.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CreateMultipartUpload.html>
package enum CreateMultipartUpload: Operation {
    package static let name = "CreateMultipartUpload"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.write

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        package var attributes: ObjectAttributes
        package var checksumAlgorithm: String?
        package var isComposite: Bool?

        package init(
            bucket: String, key: ObjectKey, attributes: ObjectAttributes, checksumAlgorithm: String? = nil,
            isComposite: Bool? = nil
        ) {
            self.bucket = bucket
            self.key = key
            self.attributes = attributes
            self.checksumAlgorithm = checksumAlgorithm
            self.isComposite = isComposite
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// The upload id, as the client wrote it.
        package var upload: String
        package var checksumAlgorithm: String?
        package var isComposite: Bool

        package init(
            bucket: String, key: ObjectKey, upload: String, checksumAlgorithm: String? = nil, isComposite: Bool
        ) {
            (self.bucket, self.key, self.upload, self.checksumAlgorithm) = (bucket, key, upload, checksumAlgorithm)
            self.isComposite = isComposite
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectWriteAccess.accesses(
            bucket: input.bucket, key: input.key, attributes: input.attributes, creates: false,
            headers: headerUse)
    }
}
