/// Lists the uploads in progress.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListMultipartUploads.html>
package enum ListMultipartUploads: Operation {
    package static let name = "ListMultipartUploads"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var prefix: [UInt8]
        /// Empty for none.
        package var delimiter: [UInt8]
        /// 0 to 1,000.
        package var limit: Int
        package var keyMarker: [UInt8]
        /// With `keyMarker`: uploads of that key after this one.
        package var uploadMarker: String?
        /// Whether keys are percent-encoded in the answer.
        package var encodesKeys: Bool

        package init(
            bucket: String, prefix: [UInt8] = [], delimiter: [UInt8] = [], limit: Int, keyMarker: [UInt8] = [],
            uploadMarker: String? = nil, encodesKeys: Bool
        ) {
            (self.bucket, self.prefix, self.delimiter, self.limit) = (bucket, prefix, delimiter, limit)
            (self.keyMarker, self.uploadMarker, self.encodesKeys) = (keyMarker, uploadMarker, encodesKeys)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var listing: UploadListing
        package var owner: Owner

        package init(listing: UploadListing, owner: Owner) {
            (self.listing, self.owner) = (listing, owner)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:ListBucketMultipartUploads", bucket: input.bucket)]
    }
}
