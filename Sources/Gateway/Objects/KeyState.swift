package import Metadata
package import Primitives
import S3Model

/// Everything that decides what a write to one key does, read in one snapshot.
package struct KeyState: Sendable {
    package let bucket: BucketID
    package let key: ObjectKey
    package let versioning: BucketRecord.Versioning
    /// The current version, where it is no delete marker.
    package var live: StoredVersion?
    /// The delete marker that is current.
    package var marker: StoredVersion?
    /// The pointer to the null version among the noncurrent ones, and that version.
    package var nullPointer: Entry?
    package var nullVersion: StoredVersion?

    package init(bucket: BucketID, key: ObjectKey, versioning: BucketRecord.Versioning) {
        (self.bucket, self.key, self.versioning) = (bucket, key, versioning)
    }

    private var liveKey: Key { Keys.live(bucket, key) }
    private var markerKey: Key { Keys.currentMarker(bucket, key) }
    private var pointerKey: Key { Keys.nullPointer(bucket, key) }

    /// The conditions under which this state is what the commit will meet.
    package func conditions(into changes: inout Changes) {
        changes.require(liveKey, unchangedFrom: live?.entry)
        changes.require(markerKey, unchangedFrom: marker?.entry)
        changes.require(pointerKey, unchangedFrom: nullPointer)
        if let nullVersion { changes.require(nullVersion.entry.key, unchangedFrom: nullVersion.entry) }
    }

    /// Makes a new version current. Its `isNull` is set by the bucket's state.
    package func put(_ new: VersionRecord, into changes: inout Changes) {
        conditions(into: &changes)
        var new = new
        new.isNull = versioning != .enabled
        retire(replacingNull: new.isNull, into: &changes)
        changes.put(liveKey, new.encoded)
        changes.account(bucket, bytes: new.size, objects: 1)
    }

    /// What a delete without a version does. Returns whether a delete marker is made, and whether that is the null
    /// version.
    package func delete(marker new: VersionRecord, into changes: inout Changes) -> Bool {
        conditions(into: &changes)
        guard versioning != .unversioned else {
            if let live { drop(live, at: liveKey, into: &changes) }
            return false
        }
        var new = new
        new.isDeleteMarker = true
        new.isNull = versioning == .suspended
        retire(replacingNull: new.isNull, into: &changes)
        if live != nil { changes.remove(liveKey) }
        changes.put(markerKey, new.encoded)
        return true
    }

    /// Makes what is current noncurrent, or drops it where it is the null version that a new one replaces.
    private func retire(replacingNull: Bool, into changes: inout Changes) {
        if replacingNull, let nullVersion {
            drop(nullVersion, at: nullVersion.entry.key, into: &changes)
            changes.remove(pointerKey)
        }
        if let live {
            if replacingNull && live.record.isNull {
                drop(live, at: nil, into: &changes)
            } else {
                demote(live.record, into: &changes)
            }
        }
        if let marker {
            changes.remove(markerKey)
            if !(replacingNull && marker.record.isNull) { demote(marker.record, into: &changes) }
        }
    }

    /// Moves a record among the noncurrent versions.
    private func demote(_ record: VersionRecord, into changes: inout Changes) {
        changes.put(Keys.version(bucket, key, sequence: record.sequence), record.settled)
        if record.isNull { changes.put(pointerKey, Keys.bigEndian(record.sequence)) }
    }

    /// Ends a version: its row (where given), its manifest, its references and its share of the usage.
    package func drop(_ version: StoredVersion, at row: Key?, into changes: inout Changes) {
        if let row { changes.remove(row) }
        guard !version.record.isDeleteMarker else { return }
        if version.record.hasManifest { changes.remove(Keys.manifest(bucket, key, uid: version.record.uid)) }
        changes.release(version.record.segments)
        changes.account(bucket, bytes: -version.record.size, objects: -1)
    }

    /// Deletes one version, which `self` or the noncurrent ones hold, and makes `successor` current where the deleted
    /// one was.
    ///
    /// - Parameter successor: the newest noncurrent version, read after this state.
    package func delete(_ version: StoredVersion, successor: StoredVersion?, into changes: inout Changes) {
        conditions(into: &changes)
        let wasCurrent = version.entry.key == liveKey || version.entry.key == markerKey
        if !wasCurrent { changes.require(version.entry.key, unchangedFrom: version.entry) }
        drop(version, at: version.entry.key, into: &changes)
        if !wasCurrent, version.record.isNull { changes.remove(pointerKey) }
        guard wasCurrent, let successor else { return }
        changes.require(successor.entry.key, unchangedFrom: successor.entry)
        changes.remove(successor.entry.key)
        changes.put(successor.record.isDeleteMarker ? markerKey : liveKey, successor.record.settled)
        if successor.record.isNull { changes.remove(pointerKey) }
    }
}
