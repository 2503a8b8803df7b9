import Erasure
import Metadata
package import Pools
package import Primitives
import Storage

/// Reads every byte of every shard of every blob of the index, and queues what is damaged for repair.
package struct Scrubber: Sendable {
    /// How fast a scrub goes.
    package struct Settings: Sendable {
        /// Bytes of shards that are read in a second; nil for as many as there are.
        package var bytesPerSecond: Int64? = 64 << 20
        /// From the end of one pass to the beginning of the next.
        package var period: Duration = .seconds(7 * 86_400)
        /// Within how long each shard is to be read again; nil where that may take as long as it takes. A pass that
        /// would be too slow for it reads faster than it may otherwise, and one that takes long is followed sooner.
        package var within: Duration?
        /// Blobs that are read side by side.
        package var width = 4
        /// Blobs after which damage is put into the index and progress told.
        package var pageRows = 64

        package init() {}
    }

    let commits: WorkerCommits
    let pool: ErasurePool
    let queue: DamageQueue
    private let environment: any Environment
    let settings: Settings
    let report: @Sendable (WorkerEvent) -> Void

    package init(
        commits: WorkerCommits, pool: ErasurePool, queue: DamageQueue, environment: any Environment,
        settings: Settings = Settings(), report: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        (self.commits, self.pool, self.queue) = (commits, pool, queue)
        (self.environment, self.settings, self.report) = (environment, settings, report)
    }

    /// Scrubs everything again and again, until it is cancelled or another process has taken over. A pass that a
    /// restart cut short goes on where it was, and the time between two passes goes on over restarts too.
    package func run() async {
        var backoff = Backoff(first: .seconds(1), most: .seconds(300))
        while !Task.isCancelled {
            do throws(WorkerError) {
                let kept = try await record()
                try await rest(rest(after: kept))
                report(.scrubbed(try await resume(kept)))
                backoff.reset()
            } catch .cancelled {
                return
            } catch .fenced {
                report(.failed(.scrubber, .fenced, retry: nil))
                return
            } catch {
                let pause = backoff.take()
                report(.failed(.scrubber, error, retry: pause))
                do throws(WorkerError) {
                    try await rest(pause)
                } catch {
                    return  // Cancelled.
                }
            }
        }
    }

    /// What the index keeps of the pass under way, or of the last one; nothing where that cannot be read.
    private func record() async throws(WorkerError) -> ScrubRecord {
        let kept = try await commits.index.answered { index throws(MetadataError) in
            try await index.values(of: [Keys.scrub])
        }[0]
        guard let kept else { return ScrubRecord() }
        do throws(RecordError) {
            return try ScrubRecord(encoded: kept.value)
        } catch {
            report(.failed(.scrubber, .malformed(Keys.scrub), retry: nil))
            return ScrubRecord()
        }
    }

    /// How long to wait for the next pass. A clock that was set back makes it wait no longer than a period.
    private func rest(after kept: ScrubRecord) -> Duration {
        guard let ended = kept.ended else { return .zero }
        let period = ScrubPace.pause(settings, after: kept.complete)
        return min(max(period - (environment.now() - ended), .zero), period)
    }

    /// One pass from where the last one was, with what was found before.
    private func resume(_ kept: ScrubRecord) async throws(WorkerError) -> ScrubReport {
        var kept = kept
        if kept.cursor == nil || kept.began == nil {
            let complete = kept.complete
            kept = ScrubRecord()
            (kept.began, kept.complete) = (environment.now(), complete)
        }
        let rate = ScrubPace.bytesPerSecond(settings, after: kept.complete)
        var last = kept.cursor
        repeat {
            kept.cursor = try await step(after: kept.cursor, &kept.found, rate: rate, last: &last)
            var next = kept
            if kept.cursor == nil {
                let now = environment.now()
                next = ScrubRecord()
                next.ended = now
                next.complete = ScrubPass(
                    began: kept.began ?? now, ended: now, last: last, bytesRead: kept.found.bytesRead,
                    unreachableShards: kept.found.unreachableShards)
            }
            _ = try await commits.commit([], [.put(Keys.scrub, next.encoded)])
        } while kept.cursor != nil
        kept.found.isComplete = true
        return kept.found
    }

    /// One pass over all blobs.
    ///
    /// - Parameter progress: Told of the pass so far, after each page.
    /// - Returns: What was found. It is complete, and only then may be clean, since this does not return before the
    ///   end.
    /// - Throws: `index`, `fenced`, `cancelled`. Damage is no error.
    package func pass(progress: (ScrubReport) -> Void = { _ in }) async throws(WorkerError) -> ScrubReport {
        var (done, cursor): (ScrubReport, BlobName?) = (ScrubReport(), nil)
        repeat {
            cursor = try await step(after: cursor, &done)
            progress(done)
        } while cursor != nil
        done.isComplete = true
        return done
    }

    /// Scrubs the next page of blobs that has one whose name can be read.
    ///
    /// - Returns: The last of them; nil at the end.
    package func step(after cursor: BlobName?, _ done: inout ScrubReport) async throws(WorkerError) -> BlobName? {
        var last: BlobName?
        return try await step(after: cursor, &done, rate: settings.bytesPerSecond, last: &last)
    }

    /// The same at a given pace.
    ///
    /// - Parameters:
    ///   - rate: Bytes of shards that are read in a second; nil for as many as there are.
    ///   - seen: The last blob that was looked at, also at the end.
    private func step(
        after cursor: BlobName?, _ done: inout ScrubReport, rate: Int64?, last seen: inout BlobName?
    ) async throws(WorkerError) -> BlobName? {
        let blobs = Keys.blobs("b")
        var start = cursor.map { Keys.blob($0) + [0] } ?? blobs.lowerBound.key
        while true {
            let scan = Scan(.keys(from: start, below: blobs.upperBound.key), limit: settings.pageRows)
            let page = try await commits.index.answered { index throws(MetadataError) in try await index.scan(scan) }
            let last = try await scrub(page.entries, &done, rate: rate)
            seen = last ?? seen
            if queue.count > 0 { try await queue.flush(commits) }
            guard let next = page.next else { return nil }
            if let last { return last }
            start = next
        }
    }

    // MARK: One blob

    /// Reads the shards of some blobs, side by side.
    ///
    /// - Returns: The last of them; nil where no name can be read.
    private func scrub(
        _ entries: [Entry], _ done: inout ScrubReport, rate: Int64?
    ) async throws(WorkerError) -> BlobName? {
        let pace = BytePace(bytesPerSecond: rate, environment)
        var (rest, last, unreadable): (ArraySlice<Entry>, BlobName?, Int) = (entries[...], nil, 0)
        var report = done
        try await ParallelWork.run(width: settings.width) { () async throws(WorkerError) -> (Entry, BlobName)? in
            while let entry = rest.popFirst() {
                if let name = Keys.blobName(entry.key) {
                    last = name
                    return (entry, name)
                }
                unreadable += 1
            }
            return nil
        } work: { (entry, name) async throws(WorkerError) -> Looked in
            try await pace.wait()
            let looked = try await self.look(at: entry, name)
            if let checked = looked.checked { pace.moved(checked.bytesRead) }
            return looked
        } done: { looked in
            self.note(looked, in: &report)
        }
        report.unreadableBlobs += unreadable
        done = report
        try await pace.wait()
        return last
    }

    /// A blob that was looked at.
    private struct Looked: Sendable {
        var name: BlobName
        var isThere = true
        /// Nil where its record makes no sense.
        var checked: Checked?
        /// What is on the queue of repairs already, a bit a shard.
        var known: UInt64 = 0
    }

    private func look(at entry: Entry, _ name: BlobName) async throws(WorkerError) -> Looked {
        var looked = Looked(name: name)
        looked.checked = await check(entry, name)
        guard looked.checked.map({ !$0.damage.isEmpty }) ?? true else { return looked }
        // Damage of a blob that was removed or repaired meanwhile is none.
        let keys = [entry.key, Keys.damaged(name)]
        let rows = try await commits.index.answered { index throws(MetadataError) in
            try await index.values(of: keys)
        }
        looked.known = rows[1].map { RepairService.record($0).lost } ?? 0
        guard let now = rows[0] else {
            looked.isThere = false
            return looked
        }
        if now.value != entry.value { looked.checked = await check(now, name) }
        return looked
    }

    private func note(_ looked: Looked, in done: inout ScrubReport) {
        guard looked.isThere else { return }
        done.blobs += 1
        guard let checked = looked.checked else {
            done.unreadableBlobs += 1
            return
        }
        done.bytes += checked.length
        done.bytesRead += checked.bytesRead
        done.soundShards += checked.soundShards
        if !checked.damage.isEmpty { queue.isDamaged(looked.name) }
        reportFound(checked.damage, looked.known)
        for damage in checked.damage {
            switch damage.kind {
            case .missing, .corrupt: done.damagedShards += 1
            case .crowded: done.crowdedShards += 1
            case .unavailable: done.unreachableShards += 1
            }
            queue.report(looked.name, damage)
        }
        if checked.damage.isEmpty { queue.isWhole(looked.name) } else { done.damagedBlobs += 1 }
    }

    private func reportFound(_ damage: [ShardDamage], _ known: UInt64) {
        let found = damage.filter { $0.index < 64 && known >> UInt64($0.index) & 1 == 0 }.compactMap { damage in
            switch damage.kind {
            case .missing: damage.store.map { FoundDamage(store: $0, isMissing: true) }
            case .corrupt: damage.store.map { FoundDamage(store: $0, isMissing: false) }
            case .crowded, .unavailable: nil
            }
        }
        if !found.isEmpty { report(.damageFound(found)) }
    }

    private struct Checked: Sendable {
        var length: Int64
        var bytesRead: Int64
        var soundShards: Int
        var damage: [ShardDamage]
    }

    /// Reads every shard of a blob; nil where its record makes no sense.
    private func check(_ entry: Entry, _ name: BlobName) async -> Checked? {
        do throws(WorkerError) {
            let locator = try entry.locator(naming: name)
            let statuses: [ShardStatus]
            do throws(StorageError) {
                statuses = try await pool.verify(locator)
            } catch {
                throw .storage(error)
            }
            let damage = statuses.compactMap { Self.damage($0) }
            let (data, all) = (Int64(locator.geometry.dataShards), Int64(locator.geometry.shards))
            // A shard without a status would be one that nobody looked at.
            guard statuses.count == locator.geometry.shards else { return nil }
            return Checked(
                length: locator.length, bytesRead: locator.length / data * all,
                soundShards: statuses.count - damage.count, damage: damage)
        } catch {
            report(.failed(.scrubber, error, retry: nil))
            return nil
        }
    }

    static func damage(_ status: ShardStatus) -> ShardDamage? {
        let (kind, detail): (ShardDamage.Kind, String)
        switch status.state {
        case .sound: return nil
        case .crowded, .leaving, .elsewhere: (kind, detail) = (.crowded, "it lies beside a sibling")
        case .missing: (kind, detail) = (.missing, "the store has no such shard")
        case .corrupt(let found): (kind, detail) = (.corrupt, found)
        case .unavailable(let found): (kind, detail) = (.unavailable, found)
        }
        return ShardDamage(index: status.index, store: status.store, kind: kind, detail: detail)
    }

    private func rest(_ pause: Duration) async throws(WorkerError) {
        do throws(CancellationError) {
            try await environment.sleep(for: pause)
        } catch {
            throw .cancelled
        }
    }
}
