import Metadata
package import Pools
package import Primitives
import Storage
import Synchronization

/// Removes blobs that nothing refers to any more.
///
/// A blob goes by three commits: *pending → condemned*, on condition that there is no reference, after which there can
/// be none; *condemned → deleted*, once that commit is in the index's journal, the reads that began before have ended,
/// and the shards are gone; and the end of the tombstone, once nobody can try to refer to the blob. Each step can be
/// done again, so that it does not matter where a process dies.
package final class TrashCollector: Sendable {
    /// The bounds of the work that is done at once.
    package struct Settings: Sendable {
        /// Rows of one page, and so of one commit.
        package var pageRows = 256
        /// Blobs whose shards are removed side by side.
        package var removalsAtOnce = 8
        /// Condemned blobs that wait for reads to end, and tombstones that wait for writes. Beyond them no blob is
        /// condemned.
        package var mostWaiting = 100_000
        /// Where every write of this process that may share a blob takes a token before the blob is written, given back
        /// after its commit, and the epoch of those blobs. A tombstone stays until the tokens from before it are back;
        /// that of another process's blob, until its epoch ends.
        package var writers: (epoch: UInt32, horizon: ReadHorizon)?
        /// Removals that are tried where stores do not answer, first so soon after one another, then ever later. What
        /// is left then on a store that comes back is an orphan, which `OrphanCollector` finds once the blob's epoch
        /// has ended.
        package var mostTries = 10
        package var retry: Duration = .seconds(10)

        package init() {}
    }

    private let commits: WorkerCommits
    private let pool: ErasurePool
    private let horizon: ReadHorizon
    private let claims: BlobClaims
    private let environment: any Environment
    private let settings: Settings
    private let report: @Sendable (WorkerEvent) -> Void
    private let waiting = Mutex<[BlobName: Waiting]>([:])

    /// A condemned blob whose shards are still there, or the tombstone of one.
    private struct Waiting {
        /// Taken when it was first seen to be condemned: a process that was started after that has no older reads.
        var mark: ReadHorizon.Mark
        /// As `mark`, of the writes that may try to refer to it.
        var writers: ReadHorizon.Mark?
        var tries = 0
        var notBefore: UInt64 = 0
    }

    /// - Parameters:
    ///   - horizon: Where every read of this process takes a token before it looks into the index.
    ///   - claims: Shared with the repairs.
    package init(
        commits: WorkerCommits, pool: ErasurePool, horizon: ReadHorizon, claims: BlobClaims,
        environment: any Environment, settings: Settings = Settings(),
        report: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        (self.commits, self.pool, self.horizon, self.claims) = (commits, pool, horizon, claims)
        (self.environment, self.settings, self.report) = (environment, settings, report)
    }

    /// Takes every blob on the trash as far as it can go now.
    ///
    /// - Throws: `index` and `fenced`. A store that does not answer is no error: the blob stays condemned.
    package func pass() async throws(WorkerError) -> TrashReport {
        var done = TrashReport()
        let live = try await commits.index.liveEpochs()
        let kept = try await commits.index.keptEpochs()
        var start: Key? = Keys.blobs("t").lowerBound.key
        while let from = start {
            let scan = Scan(.keys(from: from, below: Keys.blobs("t").upperBound.key), limit: settings.pageRows)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            try await collect(page.entries, live, kept, &done)
            start = page.next
            guard !Task.isCancelled else { throw .cancelled }
        }
        return done
    }

    private func collect(
        _ entries: [Entry], _ live: Set<UInt32>, _ kept: KeptEpochs, _ done: inout TrashReport
    ) async throws(WorkerError) {
        var (pending, condemned): ([Trash], [Trash]) = ([], [])
        var removals: [Step] = []
        for entry in entries {
            guard let trash = read(entry) else { continue }
            switch trash.record.state {
            // Other objects in the blob may be among what the index lost.
            case .pending where kept.contains(trash.name): done.untouched += 1
            case .pending: pending.append(trash)
            case .condemned: condemned.append(trash)
            case .deleted where !isNeeded(trash.name, live): removals.append(Step(removing: trash))
            case .deleted: break
            }
        }
        let removed = try await apply(removals, &done)
        waiting.withLock { waiting in
            for trash in removed { waiting[trash.name] = nil }
        }
        done.tombstonesRemoved += removed.count
        condemned += try await condemn(pending, &done)
        try await delete(condemned, live, &done)
    }

    /// Whether a writer might try to refer to the blob, so that its tombstone is needed.
    private func isNeeded(_ name: BlobName, _ live: Set<UInt32>) -> Bool {
        guard live.contains(name.epoch) else { return false }
        guard let writers = settings.writers, writers.epoch == name.epoch else { return true }
        return waiting(name)?.writers.map { !writers.horizon.hasPassed($0) } ?? true
    }

    /// What is known of a condemned blob; nil where there is no room to remember it.
    private func waiting(_ name: BlobName) -> Waiting? {
        waiting.withLock { waiting in
            if let known = waiting[name] { return known }
            guard waiting.count < settings.mostWaiting else { return nil }
            let new = newWaiting()
            waiting[name] = new
            return new
        }
    }

    private func newWaiting() -> Waiting {
        Waiting(mark: horizon.mark(), writers: settings.writers?.horizon.mark())
    }

    private func read(_ entry: Entry) -> Trash? {
        do throws(RecordError) {
            guard let name = Keys.blobName(entry.key) else { throw .malformed }
            return Trash(name: name, entry: entry, record: try TrashRecord(encoded: entry.value))
        } catch {
            report(.failed(.collector, .malformed(entry.key), retry: nil))
            return nil
        }
    }

    // MARK: Pending

    /// Condemns the blobs without references, and takes those that have some from the trash.
    private func condemn(_ pending: [Trash], _ done: inout TrashReport) async throws(WorkerError) -> [Trash] {
        var (kept, steps): ([Step], [Step]) = ([], [])
        for trash in pending {
            let references = Scan(.prefix(Keys.references(trash.name)), limit: 0)
            let page = try await commits.index.answered { index throws(MetadataError) in
                try await index.scan(references)
            }
            if page.next != nil {
                kept.append(Step(removing: trash))
            } else {
                steps.append(try await condemning(trash))
            }
        }
        done.kept += try await apply(kept, &done).count
        let room = settings.mostWaiting - waiting.withLock { $0.count }
        let condemned = try await apply(Array(steps.prefix(max(0, room))), &done)
        // Taken after the commit: a read that begins later finds no reference, and a write that begins later shares no
        // blob that is there already.
        let new = newWaiting()
        waiting.withLock { waiting in
            for trash in condemned { waiting[trash.name] = new }
        }
        done.condemned += condemned.count
        return condemned
    }

    private func condemning(_ trash: Trash) async throws(WorkerError) -> Step {
        let key = Keys.blob(trash.name)
        let blob = try await commits.index.answered { index throws(MetadataError) in
            try await index.values(of: [key])
        }[0]
        var location: BlobLocation?
        if let blob {
            do throws(RecordError) {
                location = try BlobRecord(encoded: blob.value).location
            } catch {
                // Its shards are looked for on every store then.
                report(.failed(.collector, .malformed(key), retry: nil))
            }
        }
        var condemned = trash
        condemned.record = TrashRecord(state: .condemned, location: location)
        return Step(
            trash: condemned,
            conditions: [
                .version(trash.entry.key, trash.entry.version),
                .rangeEmpty(.prefix(Keys.references(trash.name))), .unchanged(key, from: blob),
            ],
            mutations: [
                .put(trash.entry.key, condemned.record.encoded), .remove(key), .remove(Keys.damaged(trash.name)),
            ])
    }

    // MARK: Condemned

    /// Removes the shards of the blobs that no read wants any more, and then says so.
    private func delete(
        _ condemned: [Trash], _ live: Set<UInt32>, _ done: inout TrashReport
    ) async throws(WorkerError) {
        // An index that is brought back as of an earlier commit has versions that refer to the blob.
        let journalled = commits.journalledThrough()
        let ready = condemned.filter { trash in
            isReady(trash.name) && trash.entry.version <= journalled && claims.claim(trash.name)
        }
        done.waiting += condemned.count - ready.count
        defer { for trash in ready { claims.release(trash.name) } }
        let removed = await removeShards(ready)
        done.failed += ready.count - removed.count
        let given = giveUp(ready.filter { trash in !removed.contains { $0.name == trash.name } })
        let steps = (removed + given).map { trash in
            isNeeded(trash.name, live) ? Step(marking: trash, .deleted) : Step(removing: trash)
        }
        let applied = try await apply(steps, &done)
        waiting.withLock { waiting in
            for trash in applied where trash.record.state != .deleted || settings.writers?.epoch != trash.name.epoch {
                waiting[trash.name] = nil
            }
        }
        done.deleted += applied.count
        let names = Set(applied.map(\.name))
        for location in removed.filter({ names.contains($0.name) }).compactMap(\.record.location) {
            done.deletedBytes += location.length
            done.deletedShards += location.dataShards + location.parityShards
            done.deletedShards -= location.exceptions.count { $0.store == nil }
        }
    }

    /// Whether no read wants the blob any more, and it is time to try.
    private func isReady(_ name: BlobName) -> Bool {
        #if PLANTED_BUGS
            if PlantedBug.deleteUnderRead.isPlanted { return true }
        #endif
        guard let blob = waiting(name) else { return false }
        return environment.monotonicNanoseconds() >= blob.notBefore && horizon.hasPassed(blob.mark)
    }

    /// Counts vain tries; returns the blobs that are not to be tried again.
    private func giveUp(_ failed: [Trash]) -> [Trash] {
        let now = environment.monotonicNanoseconds()
        let retry = settings.retry.wholeNanoseconds
        return waiting.withLock { waiting in
            failed.filter { trash in
                guard var blob = waiting[trash.name] else { return false }
                blob.tries += 1
                blob.notBefore = now &+ retry << UInt64(min(blob.tries - 1, 16))
                waiting[trash.name] = blob
                return blob.tries >= settings.mostTries
            }
        }
    }

    /// Removes shards, some blobs at once; returns the blobs of which none is left.
    private func removeShards(_ blobs: [Trash]) async -> [Trash] {
        await withTaskGroup(of: (Int, Bool).self) { group in
            var (next, removed): (Int, [Trash]) = (0, [])
            func begin() {
                guard next < blobs.count else { return }
                let (position, trash) = (next, blobs[next])
                next += 1
                group.addTask { (position, await self.removeShards(of: trash)) }
            }
            for _ in 0..<max(1, settings.removalsAtOnce) { begin() }
            while let (position, isRemoved) = await group.next() {
                if isRemoved { removed.append(blobs[position]) }
                begin()
            }
            return removed
        }
    }

    private func removeShards(of trash: Trash) async -> Bool {
        do throws(StorageError) {
            var locator: BlobLocator?
            do throws(WorkerError) {
                locator = try trash.record.location?.locator(naming: trash.name)
            } catch {
                report(.failed(.collector, error, retry: nil))
            }
            if let locator { try await pool.remove(locator) } else { try await pool.delete(trash.name) }
            return true
        } catch {
            report(.failed(.collector, .storage(error), retry: nil))
            return false
        }
    }

    // MARK: Commits

    /// Applies steps in one commit. One whose conditions do not hold is left out, for the next pass to look at again.
    ///
    /// - Returns: The blobs whose steps were applied, as they are now.
    private func apply(_ steps: [Step], _ done: inout TrashReport) async throws(WorkerError) -> [Trash] {
        var steps = steps
        while !steps.isEmpty {
            do throws(WorkerError) {
                let version = try await commits.commit(steps.flatMap(\.conditions), steps.flatMap(\.mutations))
                return steps.map { step in
                    var trash = step.trash
                    trash.entry.version = version
                    return trash
                }
            } catch .index(.conflict(let position)) {
                var passed = 0
                guard
                    let failed = steps.firstIndex(where: { step in
                        passed += step.conditions.count
                        return position < passed
                    })
                else { throw .index(.conflict(condition: position)) }
                steps.remove(at: failed)
                done.conflicts += 1
            }
        }
        return []
    }
}

/// A row of the trash.
private struct Trash: Sendable {
    var name: BlobName
    var entry: Entry
    var record: TrashRecord
}

/// What is to be committed about one row.
private struct Step: Sendable {
    var trash: Trash
    var conditions: [Condition]
    var mutations: [Mutation]

    init(trash: Trash, conditions: [Condition], mutations: [Mutation]) {
        (self.trash, self.conditions, self.mutations) = (trash, conditions, mutations)
    }

    /// Takes the row away as long as it is the one that was read.
    init(removing trash: Trash) {
        self.init(
            trash: trash, conditions: [.version(trash.entry.key, trash.entry.version)],
            mutations: [.remove(trash.entry.key)])
    }

    init(marking trash: Trash, _ state: TrashRecord.State) {
        var trash = trash
        trash.record = TrashRecord(state: state)
        self.init(
            trash: trash, conditions: [.version(trash.entry.key, trash.entry.version)],
            mutations: [.put(trash.entry.key, trash.record.encoded)])
    }
}
