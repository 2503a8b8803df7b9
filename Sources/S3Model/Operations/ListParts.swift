package import Primitives

/// Lists the parts of an upload.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListParts.html>
package enum ListParts: Operation {
    package static let name = "ListParts"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// The upload id, as the client wrote it.
        package var upload: String
        package var limit: Int
        /// Parts after this one.
        package var marker: Int
        /// Whether keys are percent-encoded in the answer.
        package var encodesKeys: Bool

        package init(
            bucket: String, key: ObjectKey, upload: String, limit: Int, marker: Int, encodesKeys: Bool
        ) {
            (self.bucket, self.key, self.upload, self.limit) = (bucket, key, upload, limit)
            (self.marker, self.encodesKeys) = (marker, encodesKeys)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var parts: [ListedPart]
        package var isTruncated: Bool
        package var owner: Owner
        package var initiator: Owner
        package var storageClass: String?
        package var checksumAlgorithm: String?
        package var isComposite: Bool

        package init(
            parts: [ListedPart] = [], isTruncated: Bool, owner: Owner, initiator: Owner,
            storageClass: String? =
                nil, checksumAlgorithm: String? = nil, isComposite: Bool
        ) {
            (self.parts, self.isTruncated, self.owner, self.initiator) = (parts, isTruncated, owner, initiator)
            self.storageClass = storageClass
            self.checksumAlgorithm = checksumAlgorithm
            self.isComposite = isComposite
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:ListMultipartUploadParts", bucket: input.bucket, key: input.key)]
    }
}
