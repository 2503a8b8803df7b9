import Gateway
import Metadata
import Primitives
import Workers

/// Copies an index, and adds objects that share the bytes of one that is there.
///
/// Most are loaded in the order of their keys, as a recovery loads a snapshot. The last are committed one by one, with
/// rows of the outbox that are removed again, until the index remembers as many commits as one that is busy does.
struct ObjectFiller {
    /// To be raised with whatever changes what is made, the records of the index included.
    static let version = 1
    /// How many objects of one group there are.
    static let group = 100
    /// Entries that are loaded with one sync.
    private static let lot = 5000
    /// Objects that are committed at once, and whose rows of the outbox are removed together then.
    private static let atOnce = 256

    private let source: any SnapshottingIndex
    private let bucket: BucketID
    private let template: VersionRecord
    private let segment: Segment
    private let prefix: String
    private let count: Int
    private let environment: any Environment
    /// How many of the objects are loaded; the others are committed.
    private let loaded: Int

    /// - Parameters:
    ///   - committed: how many objects are committed, if there are so many.
    /// - Throws: `FillError` where there is no such object, or it is not in one piece.
    init(
        _ source: any SnapshottingIndex, bucket: String, template: String, prefix: String, count: Int,
        committed: Int = MetadataLimits.commitsKept, environment: any Environment
    ) async throws {
        guard let record = try await source.values(of: [Keys.bucket(bucket)])[0] else {
            throw FillError("there is no bucket \(bucket)")
        }
        let id = try BucketRecord(encoded: record.value).id
        let key = ObjectKey(template).map { Keys.live(id, $0) }
        guard let key, let entry = try await source.values(of: [key])[0] else {
            throw FillError("there is no \(template)")
        }
        self.template = try VersionRecord(encoded: entry.value)
        guard let segment = self.template.segments.first, self.template.segments.count == 1 else {
            throw FillError("\(template) is not in one piece")
        }
        (self.source, self.segment, self.prefix, self.count) = (source, segment, prefix, count)
        self.bucket = id
        (loaded, self.environment) = (count - min(count, committed), environment)
    }

    /// Fills a fresh index.
    func fill(_ target: some RestorableIndex) async throws {
        let snapshot = try await source.snapshot()
        while let entries = try await snapshot.next() {
            try await target.load(try entries.map(counted))
        }
        await snapshot.close()
        try await load(target) { number in
            Entry(key: try liveKey(number), value: record(number).encoded, version: snapshot.version)
        }
        try await load(target) { number in
            Entry(key: referenceKey(number), value: try owner(number), version: snapshot.version)
        }
        try await target.finishLoading(at: snapshot.version)
        try await commit(target)
    }

    /// Loads an entry of each object, in order, while the next ones are made.
    private func load(_ target: some RestorableIndex, _ entry: (Int) throws -> Entry) async throws {
        var loading: Task<Void, any Error>?
        for start in stride(from: 0, to: loaded, by: Self.lot) {
            let entries = try (start..<min(start + Self.lot, loaded)).map(entry)
            try await loading?.value
            loading = Task { try await target.load(entries) }
        }
        try await loading?.value
    }

    /// Commits the rest, as a gateway commits what it was sent.
    private func commit(_ target: some RestorableIndex) async throws {
        let keeper = EpochKeeper(index: target, environment: environment, node: "workbench")
        let session = try await keeper.begin()
        let commits = WorkerCommits(index: target, epoch: session.gateway)
        for start in stride(from: loaded, to: count, by: Self.atOnce) {
            let numbers = start..<min(start + Self.atOnce, count)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in numbers {
                    let mutations = try mutations(number, session.gateway)
                    group.addTask {
                        _ = try await commits.commit([.absentOrEmpty(Keys.trash(segment.blob))], mutations)
                    }
                }
                try await group.waitForAll()
            }
            _ = try await commits.commit([], numbers.map { .remove(outboxKey($0, session.gateway)) })
        }
        // The epochs end here: the next gateway ends those that it finds as well.
        let epochs = [session.gateway, session.workers]
        let last = WorkerCommits(index: target, epoch: session.workers)
        _ = try await last.commit([], epochs.map { .remove(Keys.epoch($0)) })
    }

    private func mutations(_ number: Int, _ epoch: UInt32) throws -> [Mutation] {
        // As long as a record of a PUT is.
        let row = OutboxRecord(eventID: "\(number)", canonicalJSON: [UInt8](repeating: 0x20, count: 900))
        return [
            .put(try liveKey(number), record(number).encoded),
            .create(Keys.blob(segment.blob), BlobRecord(location: segment.location).encoded),
            .put(referenceKey(number), try owner(number)),
            .add(Keys.usage(bucket, .bytes), template.size),
            .add(Keys.usage(bucket, .objects), 1),
            .put(outboxKey(number, epoch), row.encoded),
        ]
    }

    /// An entry of the source; of the bucket's usage, with what is loaded.
    private func counted(_ entry: Entry) throws -> Entry {
        let added: [Key: Int64] = [
            Keys.usage(bucket, .bytes): Int64(loaded) * template.size, Keys.usage(bucket, .objects): Int64(loaded),
        ]
        guard let more = added[entry.key] else { return entry }
        guard let count = Counter.decode(entry.value) else { throw FillError("the usage of the bucket is no number") }
        return Entry(key: entry.key, value: Counter.encode(count + more), version: entry.version)
    }

    // MARK: One object

    private func key(_ number: Int) throws -> ObjectKey {
        let text = "\(prefix)/\(Self.digits(number / Self.group, 6))/\(Self.digits(number, 8))"
        guard let key = ObjectKey(text) else { throw FillError("\(text) is no key") }
        return key
    }

    private static func digits(_ number: Int, _ count: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, count - text.utf8.count)) + text
    }

    private func liveKey(_ number: Int) throws -> Key { Keys.live(bucket, try key(number)) }
    private func owner(_ number: Int) throws -> [UInt8] { ReferenceOwner.encoded(bucket, try key(number)) }

    private func outboxKey(_ number: Int, _ epoch: UInt32) -> Key {
        Keys.outbox(epoch: epoch, counter: UInt64(number))
    }

    /// Spread over all numbers, in order, so that the rows can be loaded in theirs.
    private func reference(_ number: Int) -> UInt64 {
        let width = UInt64.max / UInt64(count + 1)
        return UInt64(number) * width + Self.mixed(UInt64(number)) % width
    }

    private func referenceKey(_ number: Int) -> Key { Keys.reference(segment.blob, reference(number)) }

    private func record(_ number: Int) -> VersionRecord {
        var record = template
        record.sequence = 0
        record.uid = Self.mixed(UInt64(number) ^ template.uid)
        record.segments[0].reference = reference(number)
        return record
    }

    /// A number that looks drawn (the finalizer of SplitMix64).
    private static func mixed(_ number: UInt64) -> UInt64 {
        var bits = number &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}
