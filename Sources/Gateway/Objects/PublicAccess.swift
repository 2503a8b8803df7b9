package import Metadata
package import S3Model

extension PublicAccessRecord {
    /// The record of what a client sets.
    package init(_ block: PublicAccessBlock) {
        self.init()
        (blockPublicAcls, ignorePublicAcls) = (block.blockPublicAcls, block.ignorePublicAcls)
        (blockPublicPolicy, restrictPublicBuckets) = (block.blockPublicPolicy, block.restrictPublicBuckets)
    }

    /// What a client reads.
    package var block: PublicAccessBlock {
        PublicAccessBlock(
            blockPublicAcls: blockPublicAcls, ignorePublicAcls: ignorePublicAcls,
            blockPublicPolicy: blockPublicPolicy, restrictPublicBuckets: restrictPublicBuckets)
    }

    /// The names of what is set, for the log.
    var settings: [String] {
        [
            blockPublicAcls ? "BlockPublicAcls" : nil, ignorePublicAcls ? "IgnorePublicAcls" : nil,
            blockPublicPolicy ? "BlockPublicPolicy" : nil, restrictPublicBuckets ? "RestrictPublicBuckets" : nil,
        ].compactMap { $0 }
    }
}
