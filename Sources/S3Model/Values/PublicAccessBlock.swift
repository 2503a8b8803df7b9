/// How far a bucket keeps the public out, whatever its policy and its access control lists say.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html>
package struct PublicAccessBlock: Sendable, Hashable {
    /// Whether requests that name a public access control list are refused.
    package var blockPublicAcls: Bool
    /// Whether public access control lists have no effect. No list is public here, so that it holds always.
    package var ignorePublicAcls: Bool
    /// Whether public policies are refused.
    package var blockPublicPolicy: Bool
    /// Whether, as long as the policy is public, nobody outside the owner's account gets in.
    package var restrictPublicBuckets: Bool

    package init(
        blockPublicAcls: Bool = false, ignorePublicAcls: Bool = false, blockPublicPolicy: Bool = false,
        restrictPublicBuckets: Bool = false
    ) {
        (self.blockPublicAcls, self.ignorePublicAcls) = (blockPublicAcls, ignorePublicAcls)
        (self.blockPublicPolicy, self.restrictPublicBuckets) = (blockPublicPolicy, restrictPublicBuckets)
    }
}
