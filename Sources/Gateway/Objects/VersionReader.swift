package import Metadata
package import Primitives
package import S3Model

/// Reads versions of objects from the index.
package struct VersionReader: Sendable {
    private let index: any MetadataIndex

    package init(_ index: any MetadataIndex) {
        self.index = index
    }

    /// The state of a key, for a write to it. Versions that a write may drop come with all their segments.
    package func state(
        of key: ObjectKey, in bucket: BucketRecord
    ) async throws(S3Error) -> KeyState {
        var state = KeyState(bucket: bucket.id, key: key, versioning: bucket.versioning)
        let entries = try await values([
            Keys.live(bucket.id, key), Keys.currentMarker(bucket.id, key), Keys.nullPointer(bucket.id, key),
        ])
        state.live = try await whole(entries[0], bucket.id, key)
        state.marker = try stored(entries[1])
        state.nullPointer = entries[2]
        if let pointer = entries[2] {
            let row = Keys.version(bucket.id, key, sequence: Keys.number(pointer.value))
            state.nullVersion = try await whole(try await values([row])[0], bucket.id, key)
        }
        return state
    }

    /// The current version, or nil; a delete marker where that is current.
    package func current(_ key: ObjectKey, in bucket: BucketID) async throws(S3Error) -> StoredVersion? {
        let entries = try await values([Keys.live(bucket, key), Keys.currentMarker(bucket, key)])
        if let live = try stored(entries[0]) { return live }
        return try stored(entries[1])
    }

    /// One version by its id, or nil.
    package func version(
        _ id: VersionID, of key: ObjectKey, in bucket: BucketID
    ) async throws(S3Error) -> StoredVersion? {
        var keys = [
            Keys.live(bucket, key), Keys.currentMarker(bucket, key), Keys.nullPointer(bucket, key),
        ]
        if case .versioned(let sequence, _) = id { keys.append(Keys.version(bucket, key, sequence: sequence)) }
        let entries = try await values(keys)
        for candidate in [entries[0], entries[1], entries.count > 3 ? entries[3] : nil] {
            if let version = try stored(candidate), version.matches(id) { return version }
        }
        guard id == .null, let pointer = entries[2] else { return nil }
        let row = Keys.version(bucket, key, sequence: Keys.number(pointer.value))
        let version = try stored(try await values([row])[0])
        return version?.record.isNull == true ? version : nil
    }

    /// The newest noncurrent version, or nil.
    package func newestNoncurrent(_ key: ObjectKey, in bucket: BucketID) async throws(S3Error) -> StoredVersion? {
        let page = try await scan(Scan(.prefix(Keys.versions(bucket, key)), limit: 1))
        return try stored(page.entries.first)
    }

    /// The version with its segments and parts, which a long record keeps apart.
    package func whole(_ version: StoredVersion, _ bucket: BucketID, _ key: ObjectKey) async throws(S3Error)
        -> StoredVersion
    {
        guard version.record.hasManifest else { return version }
        let row = Keys.manifest(bucket, key, uid: version.record.uid)
        guard let entry = try await values([row])[0] else {
            throw S3Error.damagedRecord("the manifest of a version is missing")
        }
        do {
            let manifest = try ManifestRecord(encoded: entry.value)
            var version = version
            (version.record.segments, version.record.parts) = (manifest.segments, manifest.parts)
            return version
        } catch {
            throw S3Error.damagedRecord("the manifest of a version does not parse")
        }
    }

    private func whole(_ entry: Entry?, _ bucket: BucketID, _ key: ObjectKey) async throws(S3Error) -> StoredVersion? {
        guard let version = try stored(entry) else { return nil }
        return try await whole(version, bucket, key)
    }

    package func stored(_ entry: Entry?) throws(S3Error) -> StoredVersion? {
        guard let entry else { return nil }
        do throws(RecordError) {
            return StoredVersion(entry: entry, record: try VersionRecord(entry))
        } catch {
            throw S3Error.damagedRecord("the record of a version does not parse")
        }
    }

    package func values(_ keys: [Key]) async throws(S3Error) -> [Entry?] {
        do {
            return try await index.values(of: keys)
        } catch {
            throw S3Error(error)
        }
    }

    package func scan(_ scan: Scan) async throws(S3Error) -> Page {
        do {
            return try await index.scan(scan)
        } catch {
            throw S3Error(error)
        }
    }
}
