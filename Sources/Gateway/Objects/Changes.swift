package import Metadata
package import Primitives

/// What one act does to the index, and on which conditions: built by pure functions, applied by one commit.
package struct Changes: Sendable {
    package var conditions: [Condition] = []
    package var mutations: [Mutation] = []

    package init() {}

    package mutating func require(_ condition: Condition) {
        conditions.append(condition)
    }

    /// What was read must still be so at the commit.
    package mutating func require(_ key: Key, unchangedFrom entry: Entry?) {
        conditions.append(entry.map { .version(key, $0.version) } ?? .absent(key))
    }

    package mutating func put(_ key: Key, _ value: [UInt8]) {
        mutations.append(.put(key, value))
    }

    /// Puts where there is nothing at the commit.
    package mutating func create(_ key: Key, _ value: [UInt8]) {
        mutations.append(.create(key, value))
    }

    package mutating func remove(_ key: Key) {
        mutations.append(.remove(key))
    }

    /// Adds to a bucket's usage.
    package mutating func account(_ bucket: BucketID, bytes: Int64, objects: Int64) {
        if bytes != 0 { mutations.append(.add(Keys.usage(bucket, .bytes), bytes)) }
        if objects != 0 { mutations.append(.add(Keys.usage(bucket, .objects), objects)) }
    }

    /// Makes the blobs of new segments known and referred to, and puts those that lack a shard on the repair queue: no
    /// object is acknowledged with less than its full redundancy and nobody to restore it.
    ///
    /// Others that share a blob may have made it known before. It may have been repaired since, so that its record is
    /// left as it is; it may have lost a reference and be on the trash, from where the collector takes it when it finds
    /// this one. But a blob that is condemned never gets a reference again: then no commit succeeds, and the bytes have
    /// to be written again.
    ///
    /// Nor does one where the blob was placed by a list that has been closed: a store of it was taken away, perhaps
    /// with a shard of this blob.
    ///
    /// - Parameter now: Since when shards are missing.
    package mutating func refer(to segments: [Segment], from owner: [UInt8], at now: Timestamp) {
        // Segments of one object are nearly always of one list.
        var checked: UInt32?
        for segment in segments where segment.foreign == nil && segment.location.placementEpoch != checked {
            checked = segment.location.placementEpoch
            require(.absent(Keys.closedPlacement(segment.location.placementEpoch)))
        }
        for segment in segments {
            require(.absentOrEmpty(Keys.trash(segment.blob)))
            put(Keys.reference(segment.blob, segment.reference), owner)
            if let foreign = segment.foreign {
                put(Keys.foreign(segment.blob), foreign.encoded)
                continue
            }
            create(Keys.blob(segment.blob), BlobRecord(location: segment.location).encoded)
            if let damaged = DamagedRecord(missingIn: segment.location, now: now) {
                create(Keys.damaged(segment.blob), damaged.encoded)
            }
        }
    }

    /// Puts a blob on the trash that others may refer to, or be about to: it goes where nobody does.
    package mutating func abandon(_ segment: Segment) {
        require(.absentOrEmpty(Keys.trash(segment.blob)))
        create(Keys.blob(segment.blob), BlobRecord(location: segment.location).encoded)
        put(Keys.trash(segment.blob), TrashRecord(state: .pending).encoded)
    }

    /// Refers once more to blobs that a record, on which the commit is conditional, refers to already.
    package mutating func share(_ segments: [Segment], from owner: [UInt8]) {
        for segment in segments { put(Keys.reference(segment.blob, segment.reference), owner) }
    }

    /// Gives up references. A blob that nothing refers to any more is found by the collector, which looks at the trash
    /// alone.
    package mutating func release(_ segments: [Segment]) {
        for segment in segments {
            remove(Keys.reference(segment.blob, segment.reference))
            guard segment.foreign == nil else {
                // Nothing else refers to a run of an adopted object, and its bytes stay where they are.
                remove(Keys.foreign(segment.blob))
                continue
            }
            put(Keys.trash(segment.blob), TrashRecord(state: .pending).encoded)
        }
    }
}
