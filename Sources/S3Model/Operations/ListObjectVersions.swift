/// Lists the versions and delete markers of a bucket.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectVersions.html>
package enum ListObjectVersions: Operation {
    package static let name = "ListObjectVersions"
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
        /// With `keyMarker`: versions of that key after this one.
        package var versionMarker: VersionID?
        /// Whether keys are percent-encoded in the answer.
        package var encodesKeys: Bool

        package init(
            bucket: String, prefix: [UInt8] = [], delimiter: [UInt8] = [], limit: Int, keyMarker: [UInt8] = [],
            versionMarker: VersionID? = nil, encodesKeys: Bool
        ) {
            (self.bucket, self.prefix, self.delimiter, self.limit) = (bucket, prefix, delimiter, limit)
            (self.keyMarker, self.versionMarker, self.encodesKeys) = (keyMarker, versionMarker, encodesKeys)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var listing: VersionListing
        package var owner: Owner

        package init(listing: VersionListing, owner: Owner) {
            (self.listing, self.owner) = (listing, owner)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [
            RequiredAccess(
                "s3:ListBucketVersions", bucket: input.bucket,
                context: ListingContext.conditions(prefix: input.prefix, delimiter: input.delimiter, limit: input.limit)
            )
        ]
    }
}
