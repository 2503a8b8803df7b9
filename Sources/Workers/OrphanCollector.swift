package import Audit
import Metadata
package import Pools
package import Primitives
import Storage
import Synchronization

/// Removes shards that no index names: those of writes that a crash cut short, and those that a repair replaced.
///
/// Only shards of ended epochs are looked at, so that no upload is too slow; only stores of this deployment, which have
/// never seen a later index than this one; and only what was an orphan in an earlier pass too.
///
/// An index that lost commits must not take what they named for orphans. A store's high-water mark cannot tell for
/// certain: it is as old as the last pass, and an index that went back reaches it again one day. So the loss is a row
/// of the index itself (`RecoveredRecord`), which a recovery writes with the first epochs that it draws, and this
/// collector where it finds that the index went back. Nothing of the epochs that the row names is deleted until an
/// operator gives up what was lost (`acceptLoss`).
package final class OrphanCollector: Sendable {
    /// When a pass does not delete.
    package struct Settings: Sendable {
        /// Nothing of a store is deleted where more than so many of its shards, and more than this share, are orphans:
        /// no ordinary day makes as many, but a lost index does.
        package var mostOrphans = 1000
        package var mostShare = 0.1
        /// How long a shard must have been an orphan, as far as this process knows.
        package var quarantine: Duration = .seconds(900)
        /// Orphans of one store that are remembered from one pass to the next; the others wait.
        package var mostRemembered = 100_000
        package var pageShards = 1000

        package init() {}
    }

    private let commits: WorkerCommits
    private let pool: ErasurePool
    private let deployment: [UInt8]
    private let stores: @Sendable () -> [CollectedStore]
    private let claims: BlobClaims
    private let environment: any Environment
    private let settings: Settings
    private let report: @Sendable (WorkerEvent) -> Void
    /// When each orphan of each store was first seen.
    private let seen = Mutex<[Int: [BlobName: UInt64]]>([:])

    /// - Parameters:
    ///   - session: The session of this process, which names the deployment.
    ///   - stores: Asked anew by each pass.
    ///   - claims: Shared with the repairs, whose new shards the index does not name yet.
    package init(
        commits: WorkerCommits, session: WriterSession, pool: ErasurePool,
        stores: @escaping @autoclosure @Sendable () -> [CollectedStore], claims: BlobClaims,
        environment: any Environment, settings: Settings = Settings(),
        report: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        (self.commits, self.pool, self.stores, self.claims) = (commits, pool, stores, claims)
        (self.environment, self.settings, self.report) = (environment, settings, report)
        deployment = session.deployment.id
    }

    /// How long an orphan is left alone.
    var quarantine: Duration { settings.quarantine }

    /// Looks at every shard of every store, and deletes the orphans that earlier passes saw too.
    ///
    /// - Throws: `refused` where a store belongs to another deployment, has seen a later index than this one, or holds
    ///   blobs of epochs that this index never drew; `index` and `fenced`. A store that does not answer is left out.
    package func pass() async throws(WorkerError) -> OrphanReport {
        // A commit of nothing says which commit the index is at, and that this process may still change something.
        let version = try await commits.commit([], [])
        var (reports, usable): ([Int: OrphanReport.Store], [CollectedStore]) = ([:], [])
        for store in stores() {
            var status = OrphanReport.Store(number: store.number)
            let check: Check
            do throws(StorageError) {
                check = try await self.check(try await store.identity(), of: store, against: version)
            } catch {
                check = .unreachable(error.description)
            }
            switch check {
            case .usable: usable.append(store)
            case .unreachable(let reason): status.stopped = reason
            case .another(let reason): throw .refused("store \(store.number) \(reason)")
            case .ahead(let mark):
                // Another process may have marked it since this pass began.
                let now = try await commits.commit([], [])
                guard mark <= now else {
                    throw try await indexWentBack(
                        "store \(store.number) has seen commit \(mark) of an index that is at \(now) now", isKnown: true
                    )
                }
                usable.append(store)
            }
            reports[store.number] = status
        }
        let epochs = try await epochs()
        for store in usable {
            try await collect(store, epochs, &reports[store.number, default: OrphanReport.Store(number: store.number)])
            guard !Task.isCancelled else { throw .cancelled }
        }
        var done = OrphanReport()
        done.stores = reports.values.sorted { $0.number < $1.number }
        return done
    }

    // MARK: Whether it is safe

    /// Whether orphans of a store may be looked for, or why not.
    private enum Check {
        case usable
        case unreachable(String)
        /// It is not this deployment's.
        case another(String)
        /// It has seen a commit that the index did not have when the pass began.
        case ahead(CommitVersion)
    }

    private func check(
        _ identity: StoreIdentity?, of store: CollectedStore, against version: CommitVersion
    ) async throws(StorageError) -> Check {
        guard var identity else { return .another("does not say whose it is") }
        guard identity.deployment == deployment else {
            return .another("belongs to the deployment \(Hex.encode(identity.deployment))")
        }
        guard identity.highWaterMark <= version else { return .ahead(identity.highWaterMark) }
        guard identity.highWaterMark < version else { return .usable }
        identity.highWaterMark = version
        try await store.mark(identity)
        return .usable
    }

    /// Keeps everything from now on, and says why.
    ///
    /// - Parameter isKnown: Whether a row that a recovery wrote says enough.
    private func indexWentBack(_ sign: String, isKnown: Bool) async throws(WorkerError) -> WorkerError {
        let everything = RecoveredRecord(noticed: environment.now(), keptBelow: .max)
        do throws(WorkerError) {
            _ = try await commits.commit(
                isKnown ? [.absent(Keys.recovered)] : [], [.put(Keys.recovered, everything.encoded)])
        } catch .index(.conflict) {
            // It was known before.
        }
        return .refused("\(sign): the index went back")
    }

    /// Takes the index for what it is now, as an operator decided: what it may have lost is garbage from now on, and
    /// the marks of stores that were ahead of it are set back.
    ///
    /// - Parameter records: Who decided, for the audit log.
    /// - Throws: `index` and `fenced`. A store that is away is ahead again when it is back.
    package func acceptLoss(records: [AuditRecord]) async throws(WorkerError) {
        let version = try await commits.commit([], [])
        for store in stores() {
            do throws(StorageError) {
                guard var identity = try await store.identity(), identity.deployment == deployment,
                    identity.highWaterMark > version
                else { continue }
                identity.highWaterMark = version
                try await store.mark(identity)
            } catch {
                report(.failed(.collector, .storage(error), retry: nil))
            }
        }
        _ = try await commits.commit([], [.remove(Keys.recovered)], records: records)
    }

    private struct Epochs: Sendable {
        var live: Set<UInt32>
        /// The first epoch that was not drawn yet.
        var next: UInt64
        var kept: KeptEpochs
    }

    private func epochs() async throws(WorkerError) -> Epochs {
        let next = try await commits.index.answered { index throws(MetadataError) in
            try await index.values(of: [Keys.nextEpoch])
        }[0]
        return Epochs(
            live: try await commits.index.liveEpochs(), next: next.map { Keys.number($0.value) } ?? 0,
            kept: try await commits.index.keptEpochs())
    }

    // MARK: One store

    private func collect(
        _ store: CollectedStore, _ epochs: Epochs, _ status: inout OrphanReport.Store
    ) async throws(WorkerError) {
        let found: (orphans: [BlobSummary], strange: BlobName?)
        do throws(StorageError) {
            found = try await find(store, epochs, &status)
        } catch {
            // Half of a store says nothing about its share of orphans.
            status.stopped = error.description
            return
        }
        if let strange = found.strange {
            throw try await indexWentBack(
                "store \(store.number) holds the blob \(strange) of an epoch that this index never drew", isKnown: false
            )
        }
        let count = status.orphans + status.surplus
        guard count <= settings.mostOrphans || Double(count) <= settings.mostShare * Double(status.shards) else {
            status.stopped = "\(count) of \(status.shards) shards are orphans, which no ordinary day makes"
            return
        }
        let lengths = Dictionary(uniqueKeysWithValues: found.orphans.map { ($0.name, $0.length) })
        let due = remember(found.orphans.map(\.name), of: store.number)
        status.quarantined = count - due.count
        for start in stride(from: 0, to: due.count, by: settings.pageShards) {
            let names = Array(due[start..<min(due.count, start + settings.pageShards)])
            try await delete(names, lengths, from: store, &status)
            guard !Task.isCancelled else { throw .cancelled }
        }
    }

    /// The orphans of a store, as many as are remembered; or a blob that this index cannot know of, where there is one.
    private func find(
        _ store: CollectedStore, _ epochs: Epochs, _ status: inout OrphanReport.Store
    ) async throws(StorageError) -> (orphans: [BlobSummary], strange: BlobName?) {
        var (orphans, last): ([BlobSummary], BlobName?) = ([], nil)
        while true {
            let page = try await store.store.blobs(after: last, limit: settings.pageShards)
            guard Self.isInOrder(page, after: last) else { throw .unavailable("it lists its blobs in no order") }
            let shards = page.map(\.name).prefix { $0.kind == .data }
            if let strange = shards.first(where: { UInt64($0.epoch) >= epochs.next }),
                try await !isDrawn(strange)
            {
                return ([], strange)
            }
            status.shards += shards.count
            #if PLANTED_BUGS
                let live = PlantedBug.collectorIgnoresEpochs.isPlanted ? [] : epochs.live
            #else
                let live = epochs.live
            #endif
            let ended = shards.filter { !live.contains($0.epoch) && UInt64($0.epoch) < epochs.next }
            let found = try await unnamed(ended, on: store.number)
            let lengths = Dictionary(uniqueKeysWithValues: page.map { ($0.name, $0.length) })
            for (name, isSurplus) in found {
                guard !epochs.kept.contains(name) else {
                    status.kept += 1
                    continue
                }
                if isSurplus { status.surplus += 1 } else { status.orphans += 1 }
                guard orphans.count < settings.mostRemembered else { continue }
                orphans.append(BlobSummary(name: name, length: lengths[name] ?? 0))
            }
            last = page.last?.name
            // Other kinds of blobs sort after data, and are nobody's orphans.
            if shards.count < page.count || page.isEmpty { return (orphans, nil) }
            if Task.isCancelled { throw .unavailable("the pass was cancelled") }
        }
    }

    /// Whether the index has drawn the epoch of a shard by now: a process that began after this pass may have.
    private func isDrawn(_ shard: BlobName) async throws(StorageError) -> Bool {
        do throws(MetadataError) {
            let next = try await commits.index.values(of: [Keys.nextEpoch])[0]
            return next.map { UInt64(shard.epoch) < Keys.number($0.value) } ?? false
        } catch {
            throw .unavailable("the index does not answer: \(error)")
        }
    }

    /// Whether each name comes after the one before it, as a listing must.
    private static func isInOrder(_ page: [BlobSummary], after last: BlobName?) -> Bool {
        var previous = last
        return page.allSatisfy { blob in
            defer { previous = blob.name }
            return previous.map { $0 < blob.name } ?? true
        }
    }

    /// Which shards the index does not name, and which of those belong to a blob that it has.
    private func unnamed(
        _ shards: [BlobName], on store: Int
    ) async throws(StorageError) -> [(name: BlobName, isSurplus: Bool)] {
        let blobs = Array(Set(shards.map(\.whole)))
        var rows: [BlobName: (blob: Entry?, trash: Entry?)] = [:]
        do throws(MetadataError) {
            let keys = blobs.flatMap { [Keys.blob($0), Keys.trash($0)] }
            let values = try await commits.index.values(of: keys)
            for (position, blob) in blobs.enumerated() {
                rows[blob] = (values[position * 2], values[position * 2 + 1])
            }
        } catch {
            throw .unavailable("the index does not answer: \(error)")
        }
        return shards.compactMap { shard in
            guard let row = rows[shard.whole], row.trash == nil else { return nil }
            guard let blob = row.blob else { return (shard, false) }
            do throws(WorkerError) {
                let locator = try blob.locator(naming: shard.whole)
                return pool.isNamed(shard, on: store, by: locator) ? nil : (shard, true)
            } catch {
                report(.failed(.collector, error, retry: nil))
                return nil  // What cannot be read may name the shard.
            }
        }
    }

    /// Which orphans were seen long enough ago. Those that are none any more are forgotten.
    private func remember(_ orphans: [BlobName], of store: Int) -> [BlobName] {
        let now = environment.monotonicNanoseconds()
        let quarantine = settings.quarantine.wholeNanoseconds
        return seen.withLock { seen in
            let before = seen[store] ?? [:]
            seen[store] = Dictionary(uniqueKeysWithValues: orphans.map { ($0, before[$0] ?? now) })
            return orphans.filter { orphan in before[orphan].map { now - $0 >= quarantine } ?? false }
        }
    }

    /// Deletes orphans of which the index, asked once more, still knows nothing.
    private func delete(
        _ names: [BlobName], _ lengths: [BlobName: Int64], from store: CollectedStore,
        _ status: inout OrphanReport.Store
    ) async throws(WorkerError) {
        let claimed = Set(names.map(\.whole)).filter { claims.claim($0) }
        defer { for name in claimed { claims.release(name) } }
        do throws(StorageError) {
            for (name, _) in try await unnamed(names.filter { claimed.contains($0.whole) }, on: store.number) {
                try await store.store.delete(name)
                status.deleted += 1
                status.deletedBytes += lengths[name] ?? 0
                seen.withLock { $0[store.number]?[name] = nil }
            }
        } catch {
            status.failed += 1
            status.stopped = error.description
        }
    }
}

extension Duration {
    /// Whole nanoseconds; 0 for a negative duration.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return UInt64(seconds) &* 1_000_000_000 &+ UInt64(attoseconds / 1_000_000_000)
    }
}
