import Audit
import Erasure
import Metadata
import Pools
import Primitives
import Storage
import Synchronization

/// How what a repair did becomes true.
extension RepairService {
    /// Commits a repair: the blob's new record, its place on the queue, and an audit record for each shard.
    func conclude(
        _ done: RepairReport, _ name: BlobName, _ blob: Entry, _ damaged: Entry?
    ) async throws(WorkerError) {
        let records = done.repairs.map { record(of: $0, name) }
        let found = damaged.map { Self.record($0).reported }
        var (blob, damaged) = (blob, damaged)
        let version: CommitVersion
        while true {
            do throws(WorkerError) {
                version = try await commit(done, name, blob, damaged, records)
                break
            } catch .index(.conflict) {
                let now = try await read(name)
                guard let current = now.blob, current.value == blob.value else {
                    // The blob went, or is another one now: nothing will ever name the new shards.
                    await undo(done, unless: now.blob, name)
                    return
                }
                // Damage that was reported meanwhile keeps its row, and is looked at by the next pass.
                (blob, damaged) = (current, nil)
            }
        }
        if done.isWhole { queue.isWhole(name) }
        if !done.repairs.isEmpty { report(.repaired(name, stores: done.repairs.map(\.store))) }
        if let found { reportRestored(done, since: found) }
        if !done.unrepaired.isEmpty { report(.unrepaired(name, shards: done.unrepaired.map(\.index))) }
        guard !done.superseded.isEmpty else { return }
        let mark = horizon.mark()
        replaced.withLock { replaced in
            // What there is no room for is found by the collector of orphans.
            if replaced.count < settings.mostReplaced {
                replaced.append(Replaced(commit: version, mark: mark, report: done))
            }
        }
        await removeReplaced()
    }

    /// Tells of the shards that had been lost, beside those that only moved.
    private func reportRestored(_ done: RepairReport, since found: Timestamp) {
        let stores = done.repairs.filter { repair in
            switch repair.before {
            case .missing, .corrupt, .unavailable: true
            case .sound, .crowded, .leaving, .elsewhere: false
            }
        }.map(\.store)
        guard !stores.isEmpty else { return }
        report(.restored(stores: stores, bytesEach: done.shardBytes, took: max(environment.now() - found, .zero)))
    }

    private func commit(
        _ done: RepairReport, _ name: BlobName, _ blob: Entry, _ damaged: Entry?, _ records: [AuditRecord]
    ) async throws(WorkerError) -> CommitVersion {
        var conditions: [Condition] = [.version(blob.key, blob.version)]
        var mutations: [Mutation] = []
        if !done.repairs.isEmpty {
            mutations.append(.put(blob.key, BlobRecord(location: BlobLocation(of: done.locator)).encoded))
        }
        if let damaged {
            conditions.append(.version(damaged.key, damaged.version))
            if done.isWhole {
                mutations.append(.remove(damaged.key))
            } else {
                mutations.append(.put(damaged.key, next(done, after: Self.record(damaged)).encoded))
            }
        }
        // Nothing was repaired, so that nothing is replaced either.
        guard !mutations.isEmpty else { return blob.version }
        return try await commits.commit(conditions, mutations, records: records)
    }

    /// What is left of a row on the queue.
    private func next(_ done: RepairReport, after damaged: DamagedRecord) -> DamagedRecord {
        var record = damaged
        (record.broken, record.misplaced, record.unreachable) = (0, 0, 0)
        for status in done.unrepaired where status.index < 64 {
            let bit = UInt64(1) << UInt64(status.index)
            switch status.state {
            case .unavailable: record.unreachable |= bit
            case .crowded, .leaving, .elsewhere:
                record.broken |= bit
                record.misplaced |= bit
            case .sound, .missing, .corrupt: record.broken |= bit
            }
        }
        return later(record)
    }

    /// The row of a repair in vain, to be tried again later.
    private func later(_ damaged: DamagedRecord) -> DamagedRecord {
        var record = damaged
        let pause = min(settings.firstRetry * (1 << min(record.attempts, 16)), settings.longestRetry)
        record.attempts += 1
        record.notBefore = environment.now() + pause
        return record
    }

    /// Puts a blob that could not be repaired at all behind the others.
    func postpone(_ damaged: Entry) async throws(WorkerError) {
        do throws(WorkerError) {
            _ = try await commits.commit(
                [.version(damaged.key, damaged.version)],
                [.put(damaged.key, later(Self.record(damaged)).encoded)])
        } catch .index(.conflict) {
            return  // New damage was reported: it is tried again with that.
        }
    }

    /// Takes a row away whose blob is gone.
    func forget(_ damaged: Entry, of name: BlobName) async throws(WorkerError) {
        do throws(WorkerError) {
            _ = try await commits.commit(
                [.version(damaged.key, damaged.version), .absent(Keys.blob(name))], [.remove(damaged.key)])
        } catch .index(.conflict) {
            return  // The row or the blob changed: the next pass looks again.
        }
    }

    /// The rows of a blob.
    func read(_ name: BlobName) async throws(WorkerError) -> (blob: Entry?, damaged: Entry?) {
        let keys = [Keys.blob(name), Keys.damaged(name)]
        let values = try await commits.index.answered { index throws(MetadataError) in
            try await index.values(of: keys)
        }
        return (values[0], values[1])
    }

    // MARK: Shards that nothing names

    /// Removes the shards that a repair wrote in vain.
    private func undo(_ done: RepairReport, unless blob: Entry?, _ name: BlobName) async {
        var undone = done
        undone.superseded = []
        do throws(WorkerError) {
            let current = try blob?.locator(naming: name)
            for repair in done.repairs {
                let shard = name.shard(repair.index, attempt: repair.attempt)
                if let current, pool.isNamed(shard, on: Int(repair.store), by: current) { continue }
                undone.superseded.append(
                    (
                        Int(repair.store),
                        ShardException(index: repair.index, store: repair.store, attempt: repair.attempt)
                    ))
            }
        } catch {
            // A record that cannot be read may name any shard, so that all stay.
            report(.failed(.repair, error, retry: nil))
        }
        await discard(undone)
    }

    /// Removes what repairs replaced, what no read wants any more, and what no recovered index would name.
    func removeReplaced() async {
        let journalled = commits.journalledThrough()
        let passed = replaced.withLock { replaced in
            let split = replaced.partition { $0.commit <= journalled && horizon.hasPassed($0.mark) }
            defer { replaced.removeSubrange(split...) }
            return replaced[split...]
        }
        await withTaskGroup(of: Void.self) { group in
            for (position, repair) in passed.enumerated() {
                if position >= settings.width { await group.next() }
                group.addTask { await self.discard(repair.report) }
            }
        }
    }

    private func discard(_ done: RepairReport) async {
        do throws(StorageError) {
            try await pool.discard(done)
        } catch {
            // The collector of orphans finds what stays.
            report(.failed(.repair, .storage(error), retry: nil))
        }
    }

    // MARK: Audit

    private func record(of repair: RepairReport.Repair, _ name: BlobName) -> AuditRecord {
        let was =
            switch repair.before {
            case .sound: "sound"
            case .missing: "missing"
            case .corrupt: "corrupt"
            case .unavailable: "unreachable"
            case .crowded: "beside a sibling"
            case .leaving: "on a store that is emptied"
            case .elsewhere: "elsewhere than its list places it"
            }
        return AuditRecord(
            .system(
                "RepairShard", id: environment.eventID(), at: environment.now(), region: region,
                parameters: [
                    "blob": name.description, "shard": String(repair.index), "store": String(repair.store),
                    "attempt": String(repair.attempt), "was": was,
                    "hashBefore": repair.rootBefore.map { Hex.encode(Keys.bigEndian($0)) } ?? "unreadable",
                    "hashAfter": Hex.encode(Keys.bigEndian(repair.rootAfter)),
                ]))
    }
}
