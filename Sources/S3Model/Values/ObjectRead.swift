package import Primitives

/// What GetObject and HeadObject have in common: all but the bytes.
package enum ObjectRead {
    /// What they are asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?
        package var partNumber: Int?
        package var range: ByteRangeRequest?
        /// What the range depends on.
        package var ifRange: RangeValidator?
        package var preconditions: Preconditions
        /// Header fields of the answer that the query replaces, by lower-case name.
        package var overrides: [String: String]
        package var wantsChecksum: Bool

        package init(
            bucket: String, key: ObjectKey, versionID: VersionID? = nil, partNumber: Int? = nil,
            range: ByteRangeRequest? = nil, ifRange: RangeValidator? = nil, preconditions: Preconditions,
            overrides: [String: String], wantsChecksum: Bool
        ) {
            (self.bucket, self.key, self.versionID, self.partNumber) = (bucket, key, versionID, partNumber)
            (self.range, self.ifRange) = (range, ifRange)
            self.preconditions = preconditions
            self.overrides = overrides
            self.wantsChecksum = wantsChecksum
        }
    }

    /// What they answer.
    package struct Output: Sendable, Hashable {
        package var summary: ObjectSummary
        /// Nil for the whole object.
        package var range: Range<Int64>?
        package var tagCount: Int
        /// Of the bytes that the answer is about, where there is one for just these.
        package var checksum: Checksum?

        package init(
            summary: ObjectSummary, range: Range<Int64>? = nil, tagCount: Int, checksum: Checksum? = nil
        ) {
            (self.summary, self.range, self.tagCount) = (summary, range, tagCount)
            self.checksum = checksum
        }
    }

    /// What they need.
    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectReadAccess.accesses("s3:GetObject", bucket: input.bucket, key: input.key, version: input.versionID)
            .map { access in
                var access = access
                access.tellsAbsence = input.versionID == nil
                return access
            }
    }
}
