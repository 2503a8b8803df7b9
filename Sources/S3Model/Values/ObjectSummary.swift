package import Primitives

/// An object, as a read of it or of its head tells.
package struct ObjectSummary: Sendable, Hashable {
    package var key: ObjectKey
    package var size: Int64
    /// Without quotes.
    package var etag: String
    package var modified: Timestamp
    package var attributes: ObjectAttributes
    /// Nil in a bucket that was never versioned.
    package var versionID: VersionID?
    package var checksum: Checksum?
    /// Of an object that was uploaded in parts.
    package var partCount: Int?
    /// When it was brought back from the stores after the index was lost; nil for any other object.
    package var recovered: Timestamp?

    package init(
        key: ObjectKey, size: Int64, etag: String, modified: Timestamp, attributes: ObjectAttributes,
        versionID: VersionID?, checksum: Checksum?, partCount: Int?, recovered: Timestamp? = nil
    ) {
        (self.key, self.size, self.etag, self.modified) = (key, size, etag, modified)
        (self.attributes, self.versionID, self.checksum) = (attributes, versionID, checksum)
        (self.partCount, self.recovered) = (partCount, recovered)
    }
}

/// Who owns a bucket or an object: an account.
package struct Owner: Sendable, Hashable {
    /// The canonical user id.
    package var id: String
    package var displayName: String

    package init(id: String, displayName: String) {
        (self.id, self.displayName) = (id, displayName)
    }
}
