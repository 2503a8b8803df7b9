/// Lists the buckets that the caller may see.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListBuckets.html>
package enum ListBuckets: Operation {
    package static let name = "ListBuckets"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var prefix: String
        /// 1 to 10,000.
        package var limit: Int
        /// Where the page begins: what an earlier page gave.
        package var token: String?
        /// Only buckets of this region.
        package var region: String?

        package init(prefix: String, limit: Int, token: String? = nil, region: String? = nil) {
            (self.prefix, self.limit, self.token, self.region) = (prefix, limit, token, region)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var owner: Owner
        package var buckets: [ListedBucket]
        /// Where the next page begins.
        package var token: String?
        package var prefix: String

        package init(owner: Owner, buckets: [ListedBucket] = [], token: String? = nil, prefix: String) {
            (self.owner, self.buckets, self.token, self.prefix) = (owner, buckets, token, prefix)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        [RequiredAccess("s3:ListAllMyBuckets")]
    }
}
