package import Primitives

/// Returns chosen attributes of an object, its parts among them.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObjectAttributes.html>
package enum GetObjectAttributes: Operation {
    package static let name = "GetObjectAttributes"
    package static let isReadOnly = true

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?
        /// Which ones, by their names in the API.
        package var attributes: [String]
        package var partLimit: Int
        /// Parts after this one.
        package var partMarker: Int

        package init(
            bucket: String, key: ObjectKey, versionID: VersionID? = nil, attributes: [String] = [],
            partLimit:
                Int, partMarker: Int
        ) {
            (self.bucket, self.key, self.versionID, self.attributes) = (bucket, key, versionID, attributes)
            (self.partLimit, self.partMarker) = (partLimit, partMarker)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var summary: ObjectSummary
        package var parts: [ListedPart]
        package var isTruncated: Bool

        package init(summary: ObjectSummary, parts: [ListedPart] = [], isTruncated: Bool) {
            (self.summary, self.parts, self.isTruncated) = (summary, parts, isTruncated)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        ObjectReadAccess.accesses("s3:GetObject", bucket: input.bucket, key: input.key, version: input.versionID)
            + ObjectReadAccess.accesses(
                "s3:GetObjectAttributes", bucket: input.bucket, key: input.key, version: input.versionID)
    }
}
