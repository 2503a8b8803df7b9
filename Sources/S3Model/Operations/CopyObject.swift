package import Primitives

/// Copies an object within the service.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_CopyObject.html>
package enum CopyObject: Operation {
    package static let name = "CopyObject"
    package static let isReadOnly = false
    package static let headerUse = HeaderUse.copy

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        package var source: CopySource
        package var sourcePreconditions: Preconditions
        package var preconditions: Preconditions
        /// What replaces the attributes of the source.
        package var attributes: ObjectAttributes
        package var replacesMetadata: Bool
        package var replacesTags: Bool
        /// The algorithm of the copy, where the client names one.
        package var checksumAlgorithm: String?

        package init(
            bucket: String, key: ObjectKey, source: CopySource, sourcePreconditions: Preconditions,
            preconditions: Preconditions, attributes: ObjectAttributes, replacesMetadata: Bool,
            replacesTags:
                Bool, checksumAlgorithm: String? = nil
        ) {
            self.bucket = bucket
            self.key = key
            self.source = source
            self.sourcePreconditions = sourcePreconditions
            self.preconditions = preconditions
            self.attributes = attributes
            self.replacesMetadata = replacesMetadata
            self.replacesTags = replacesTags
            self.checksumAlgorithm = checksumAlgorithm
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var etag: String
        package var modified: Timestamp
        package var versionID: VersionID?
        package var sourceVersionID: VersionID?
        package var checksum: Checksum?

        package init(
            etag: String, modified: Timestamp, versionID: VersionID? = nil, sourceVersionID: VersionID? = nil,
            checksum: Checksum? = nil
        ) {
            self.etag = etag
            self.modified = modified
            self.versionID = versionID
            self.sourceVersionID = sourceVersionID
            self.checksum = checksum
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        input.source.accesses
            + ObjectWriteAccess.accesses(
                bucket: input.bucket, key: input.key, attributes: input.attributes, source: input.source,
                preconditions: input.preconditions, headers: headerUse)
    }
}
