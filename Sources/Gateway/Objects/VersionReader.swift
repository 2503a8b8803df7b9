package import Metadata
package import Primitives
package import S3Model

/// Reads versions of objects from the index.
package struct VersionReader: Sendable {
    /// How often what changed between two looks is looked at again, before the index is taken for damaged.
    private static let attempts = 50

    private let index: any MetadataIndex

    package init(_ index: any MetadataIndex) {
        self.index = index
    }

    /// The state of a key, for a write to it. Versions that a write may drop come with all their segments.
    package func state(
        of key: ObjectKey, in bucket: BucketRecord
    ) async throws(S3Error) -> KeyState {
        for _ in 0..<Self.attempts {
            var state = KeyState(bucket: bucket.id, key: key, versioning: bucket.versioning)
            let entries = try await values([
                Keys.live(bucket.id, key), Keys.currentMarker(bucket.id, key), Keys.nullPointer(bucket.id, key),
            ])
            state.marker = try stored(entries[1])
            state.nullPointer = entries[2]
            if let live = try stored(entries[0]) {
                guard let whole = try await withManifest(live, bucket.id, key) else { continue }
                state.live = whole
            }
            if let pointer = entries[2] {
                let row = Keys.version(bucket.id, key, sequence: Keys.number(pointer.value))
                guard let null = try stored(try await values([row])[0]),
                    let whole = try await withManifest(null, bucket.id, key)
                else { continue }
                state.nullVersion = whole
            }
            return state
        }
        throw Self.inconsistent
    }

    private static let inconsistent = S3Error.damagedRecord("the records of a key do not fit one another")

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
        for _ in 0..<Self.attempts {
            let entries = try await values(keys)
            for candidate in [entries[0], entries[1], entries.count > 3 ? entries[3] : nil] {
                if let version = try stored(candidate), version.matches(id) { return version }
            }
            guard id == .null, let pointer = entries[2] else { return nil }
            let row = Keys.version(bucket, key, sequence: Keys.number(pointer.value))
            // Where it is not there any more, it became current or went since the pointer was read.
            if let version = try stored(try await values([row])[0]), version.record.isNull { return version }
        }
        throw Self.inconsistent
    }

    /// One version by its id, with its segments and parts, or nil.
    package func wholeVersion(
        _ id: VersionID, of key: ObjectKey, in bucket: BucketID
    ) async throws(S3Error) -> StoredVersion? {
        for _ in 0..<Self.attempts {
            guard let version = try await version(id, of: key, in: bucket) else { return nil }
            if let whole = try await withManifest(version, bucket, key) { return whole }
        }
        throw Self.inconsistent
    }

    /// The newest noncurrent version, or nil.
    package func newestNoncurrent(_ key: ObjectKey, in bucket: BucketID) async throws(S3Error) -> StoredVersion? {
        let page = try await scan(Scan(.prefix(Keys.versions(bucket, key)), limit: 1))
        return try stored(page.entries.first)
    }

    /// What `find` finds, with its segments and parts; it is found anew where it was replaced between the two looks.
    package func whole(
        _ bucket: BucketID, _ key: ObjectKey, _ find: () async throws(S3Error) -> StoredVersion
    ) async throws(S3Error) -> StoredVersion {
        for _ in 0..<Self.attempts {
            if let whole = try await withManifest(try await find(), bucket, key) { return whole }
        }
        throw Self.inconsistent
    }

    /// The version with its segments and parts, which a long record keeps apart; nil where these are gone, and so the
    /// version.
    private func withManifest(
        _ version: StoredVersion, _ bucket: BucketID, _ key: ObjectKey
    ) async throws(S3Error) -> StoredVersion? {
        guard version.record.hasManifest else { return version }
        let row = Keys.manifest(bucket, key, uid: version.record.uid)
        guard let entry = try await values([row])[0] else { return nil }
        do {
            let manifest = try ManifestRecord(encoded: entry.value)
            var version = version
            (version.record.segments, version.record.parts) = (manifest.segments, manifest.parts)
            return version
        } catch {
            throw S3Error.damagedRecord("the manifest of a version does not parse")
        }
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

    /// A page of each scan, all from one snapshot.
    package func pages(_ scans: [Scan]) async throws(S3Error) -> [Page] {
        do {
            return try await index.pages(of: scans)
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
