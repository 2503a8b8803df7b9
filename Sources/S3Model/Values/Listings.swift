package import Primitives

/// A bucket, as ListBuckets shows it.
package struct ListedBucket: Sendable, Hashable {
    package var name: String
    package var created: Timestamp
    package var region: String

    package init(name: String, created: Timestamp, region: String) {
        (self.name, self.created, self.region) = (name, created, region)
    }
}

/// A page of current objects.
package struct ObjectListing: Sendable, Hashable {
    package var objects: [ListedObject] = []
    /// What keys were rolled up to, in order.
    package var commonPrefixes: [[UInt8]] = []
    /// The last key or common prefix of the page, where there is more; nil where there is not.
    package var next: [UInt8]?

    package init() {}
}

/// A current object, as a listing shows it.
package struct ListedObject: Sendable, Hashable {
    package var key: ObjectKey
    package var modified: Timestamp
    package var etag: String
    package var size: Int64
    package var storageClass: String?
    package var checksumAlgorithm: String?
    package var checksumIsComposite: Bool

    package init(
        key: ObjectKey, modified: Timestamp, etag: String, size: Int64, storageClass: String?,
        checksumAlgorithm: String?, checksumIsComposite: Bool
    ) {
        (self.key, self.modified, self.etag, self.size) = (key, modified, etag, size)
        (self.storageClass, self.checksumAlgorithm) = (storageClass, checksumAlgorithm)
        self.checksumIsComposite = checksumIsComposite
    }
}

/// A page of versions.
package struct VersionListing: Sendable, Hashable {
    package var versions: [ListedVersion] = []
    package var commonPrefixes: [[UInt8]] = []
    /// The last key or prefix of the page, and its version, where there is more.
    package var nextKey: [UInt8]?
    package var nextVersion: VersionID?

    package init() {}
}

/// A version or delete marker, as a listing shows it.
package struct ListedVersion: Sendable, Hashable {
    package var object: ListedObject
    package var versionID: VersionID
    package var isLatest: Bool
    package var isDeleteMarker: Bool

    package init(object: ListedObject, versionID: VersionID, isLatest: Bool, isDeleteMarker: Bool) {
        (self.object, self.versionID) = (object, versionID)
        (self.isLatest, self.isDeleteMarker) = (isLatest, isDeleteMarker)
    }
}

/// A page of uploads in progress.
package struct UploadListing: Sendable, Hashable {
    package var uploads: [ListedUpload] = []
    package var commonPrefixes: [[UInt8]] = []
    package var nextKey: [UInt8]?
    package var nextUpload: String?

    package init() {}
}

/// An upload in progress, as a listing shows it.
package struct ListedUpload: Sendable, Hashable {
    package var key: ObjectKey
    package var upload: String
    package var started: Timestamp
    package var storageClass: String?
    package var initiator: Owner
    package var checksumAlgorithm: String?
    package var isComposite: Bool

    package init(
        key: ObjectKey, upload: String, started: Timestamp, storageClass: String?, initiator: Owner,
        checksumAlgorithm: String?, isComposite: Bool
    ) {
        (self.key, self.upload, self.started) = (key, upload, started)
        (self.storageClass, self.initiator) = (storageClass, initiator)
        (self.checksumAlgorithm, self.isComposite) = (checksumAlgorithm, isComposite)
    }
}

/// A part of an upload or of an object, as a listing shows it.
package struct ListedPart: Sendable, Hashable {
    package var number: Int
    package var size: Int64
    package var etag: String
    package var modified: Timestamp
    package var checksum: Checksum?

    package init(number: Int, size: Int64, etag: String, modified: Timestamp, checksum: Checksum?) {
        (self.number, self.size, self.etag) = (number, size, etag)
        (self.modified, self.checksum) = (modified, checksum)
    }
}
