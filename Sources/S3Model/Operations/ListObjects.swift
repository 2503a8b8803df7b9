/// Lists the current objects of a bucket, in the first form.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjects.html>
package enum ListObjects: Operation {
    package static let name = "ListObjects"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var prefix: [UInt8]
        /// Empty for none.
        package var delimiter: [UInt8]
        /// 0 to 1,000.
        package var limit: Int
        /// Keys after this one.
        package var marker: [UInt8]
        /// Whether keys are percent-encoded in the answer.
        package var encodesKeys: Bool

        package init(
            bucket: String, prefix: [UInt8] = [], delimiter: [UInt8] = [], limit: Int, marker: [UInt8] = [],
            encodesKeys: Bool
        ) {
            (self.bucket, self.prefix, self.delimiter, self.limit) = (bucket, prefix, delimiter, limit)
            (self.marker, self.encodesKeys) = (marker, encodesKeys)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var listing: ObjectListing
        package var owner: Owner

        package init(listing: ObjectListing, owner: Owner) {
            (self.listing, self.owner) = (listing, owner)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [
            RequiredAccess(
                "s3:ListBucket", bucket: input.bucket,
                context: ListingContext.conditions(prefix: input.prefix, delimiter: input.delimiter, limit: input.limit)
            )
        ]
    }
}
