package import Primitives

/// Returns an object or a range of it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
package enum GetObject: Operation {
    package static let name = "GetObject"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?
        package var partNumber: Int?
        package var range: ByteRangeRequest?
        package var preconditions: Preconditions
        /// Header fields of the answer that the query replaces, by lower-case name.
        package var overrides: [String: String]
        package var wantsChecksum: Bool

        package init(
            bucket: String, key: ObjectKey, versionID: VersionID? = nil, partNumber: Int? = nil,
            range:
                ByteRangeRequest? = nil, preconditions: Preconditions, overrides: [String: String],
            wantsChecksum:
                Bool
        ) {
            (self.bucket, self.key, self.versionID, self.partNumber) = (bucket, key, versionID, partNumber)
            self.range = range
            self.preconditions = preconditions
            self.overrides = overrides
            self.wantsChecksum = wantsChecksum
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var summary: ObjectSummary
        /// Nil for the whole object.
        package var range: Range<Int64>?
        package var tagCount: Int

        package init(summary: ObjectSummary, range: Range<Int64>? = nil, tagCount: Int) {
            (self.summary, self.range, self.tagCount) = (summary, range, tagCount)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectReadAccess.accesses("s3:GetObject", bucket: input.bucket, key: input.key, version: input.versionID)
    }
}
