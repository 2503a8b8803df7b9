import Metadata
import Primitives
import S3Model
import S3Wire

/// The account that a client expects to own a bucket, so that it never writes to, or reads from, a bucket that somebody
/// else made under the same name.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucket-owner-condition.html>
struct ExpectedOwner {
    static let ofBucket = "x-amz-expected-bucket-owner"
    static let ofSource = "x-amz-source-expected-bucket-owner"

    private let account: String?

    init(_ wire: WireRequest, _ header: String) {
        account = wire.fields[header]
    }

    var isGiven: Bool { account != nil }

    /// - Throws: `AccessDenied` for another owner, `InvalidBucketOwnerAWSAccountID` for what is no account at all.
    func check(_ bucket: Bucket) throws(S3Error) {
        guard let account else { return }
        guard account.utf8.count == 12, account.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else {
            throw S3Error(.invalidBucketOwnerAccountID)
        }
        guard bucket.record.account.utf8.elementsEqual(account.utf8) else { throw S3Error(.accessDenied) }
    }
}
