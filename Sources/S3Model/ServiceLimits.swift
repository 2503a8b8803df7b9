/// S3's own limits.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html> and the pages of the operations.
package enum ServiceLimits {
    /// Bytes of one PUT or part.
    package static let putSize: Int64 = 5 << 30
    /// Bytes of an object.
    package static let objectSize: Int64 = 50 * 1_000_000_000_000
    package static let partNumbers = 1...10_000
    /// Bytes of every part but the last.
    package static let leastPartSize: Int64 = 5 << 20
    package static let pageSize = 1000
    package static let deletesAtOnce = 1000
    /// Bytes of names and values of user metadata together.
    package static let metadataSize = 2048
    package static let tagsOfAnObject = 10
    package static let tagsOfABucket = 50
    package static let bucketsOfAnAccount = 10_000
    /// Bytes of the XML of a request: CompleteMultipartUpload with 10,000 parts and DeleteObjects with 1,000 long keys
    /// fit.
    package static let documentSize = 4 << 20
    package static let policySize = 20 << 10
}
