package import Primitives

/// Deletes an object, or one version of it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_DeleteObject.html>
package enum DeleteObject: Operation {
    package static let name = "DeleteObject"
    package static let isReadOnly = false

    /// What it is asked.
    package struct Input: Sendable, Hashable {
        package var bucket: String
        package var key: ObjectKey
        /// Nil for the current version.
        package var versionID: VersionID?
        package var preconditions: DeletePreconditions

        package init(
            bucket: String, key: ObjectKey, versionID: VersionID? = nil, preconditions: DeletePreconditions
        ) {
            (self.bucket, self.key, self.versionID, self.preconditions) = (bucket, key, versionID, preconditions)
        }
    }

    /// What it answers.
    package struct Output: Sendable, Hashable {
        package var isDeleteMarker: Bool
        package var versionID: VersionID?

        package init(isDeleteMarker: Bool, versionID: VersionID? = nil) {
            (self.isDeleteMarker, self.versionID) = (isDeleteMarker, versionID)
        }
    }

    package static func accesses(of input: Input) -> [RequiredAccess] {
        accesses(
            bucket: input.bucket, key: input.key, version: input.versionID, preconditions: input.preconditions)
    }

    /// What deleting a key, or one version of it, takes.
    ///
    /// Conditions on what is there also take reading it, since the outcome tells whether they hold; that something is
    /// there at all may be asked without.
    /// <https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-deletes.html>
    package static func accesses(
        bucket: String, key: ObjectKey, version: VersionID?, preconditions: DeletePreconditions
    ) -> [RequiredAccess] {
        var context = version.map { ["s3:versionid": [$0.description]] } ?? [:]
        if let etag = preconditions.etag { context["s3:if-match"] = [etag] }
        let delete = RequiredAccess(
            version == nil ? "s3:DeleteObject" : "s3:DeleteObjectVersion", bucket: bucket, key: key, context: context,
            wantsObjectTags: true)
        guard preconditions.tellsOfContent else { return [delete] }
        return [delete] + ObjectReadAccess.accesses("s3:GetObject", bucket: bucket, key: key, version: version)
    }
}
