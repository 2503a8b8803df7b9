package import Metadata
package import Primitives
package import Storage
import Synchronization

/// Keeps copies of an index in the stores: a journal of its commits, and now and then a snapshot.
///
/// Each segment of the journal carries the digest of the one before it. The index itself remembers the end of that
/// chain (`JournalMark`), so that a process that follows goes on where this one stopped, and a restored index, which
/// remembers none, begins a new chain with a snapshot. The page Formats has the bytes; the page EmbeddedIndex of
/// Decisions has the reasons.
package final class IndexBackup: Sendable {
    /// How the backup is kept.
    package struct Options: Sendable {
        /// How long a commit may wait for the journal: the lag that is promised.
        package var interval: Duration = .seconds(1)
        /// A snapshot is taken once the journal since the last one has so many bytes.
        package var snapshotAfterBytes = 256 << 20
        /// A snapshot is taken once the journal since the last one has so many segments.
        package var snapshotAfterSegments = 4096
        /// Bytes of a snapshot's part, of which a few copies are in memory while it is written.
        package var partBytes = 4 << 20
        /// How long stores are waited for; nil for the usual time of the backup's environment.
        package var patience: StorePatience?

        package init() {}
    }

    private let index: any SnapshottingIndex
    private let stores: BackupStores
    private let epoch: UInt32
    private let begun: CommitVersion
    private let environment: any Environment
    private let options: Options
    private let state: Mutex<JournalState>

    /// - Parameters:
    ///   - copies: how many stores hold each blob: m + 1.
    ///   - epoch: the writer epoch of this process, greater than any before it.
    ///   - begun: the commit that drew it. The journal has every commit after it, also where it begins anew.
    package init(
        of index: any SnapshottingIndex, in stores: [any BlobStore], copies: Int, epoch: UInt32,
        begun: CommitVersion = .max, environment: any Environment, options: Options = Options()
    ) {
        self.index = index
        self.stores = BackupStores(stores, copies: copies, options.patience ?? StorePatience(environment))
        (self.epoch, self.begun) = (epoch, begun)
        (self.environment, self.options) = (environment, options)
        state = Mutex(JournalState(now: environment.monotonicNanoseconds()))
    }

    /// Takes further stores, behind those that are there: from now on they are given copies too.
    package func add(_ stores: [any BlobStore]) {
        self.stores.add(stores)
    }

    /// Gives these stores, by their number, no more copies. What they hold is needed until a snapshot was taken.
    package func leave(_ numbers: Set<Int>) {
        stores.leave(numbers)
    }

    /// What the metrics show, as of the last pass or `currentStatus`.
    package var status: IndexBackupStatus {
        state.withLock { $0.status(now: environment.monotonicNanoseconds()) }
    }

    /// What the metrics show, after a look at what the index has now. An index that does not answer counts as one that
    /// has more than the journal.
    package func currentStatus() async -> IndexBackupStatus {
        // Before the index is asked: what is committed meanwhile was not missing for longer.
        let now = environment.monotonicNanoseconds()
        let last: CommitVersion?
        do throws(IndexBackupError) { last = try await kept().last } catch { last = nil }
        state.withLock { $0.look(at: last, now: now) }
        return status
    }

    /// Copies until the task is cancelled, and once more then. A pass that fails is tried again after the interval;
    /// the lag grows meanwhile.
    ///
    /// The journal does not wait for a snapshot, which takes as long as the index is large: its lag is promised.
    package func run() async {
        async let snapshots: Void = repeating { () async throws(IndexBackupError) in try await snapshotIfDue() }
        await repeating { () async throws(IndexBackupError) in try await flush() }
        await snapshots
        do throws(IndexBackupError) { try await flush() } catch { state.withLock { $0.failed(error) } }
    }

    /// Does something after each interval, until the task is cancelled.
    private func repeating(_ work: @Sendable () async throws(IndexBackupError) -> Void) async {
        while true {
            do throws(IndexBackupError) { try await work() } catch { state.withLock { $0.failed(error) } }
            do throws(CancellationError) { try await environment.sleep(for: options.interval) } catch { return }
        }
    }

    /// Returns once every commit that returned before the call is in the journal of enough stores.
    package func flush() async throws(IndexBackupError) {
        let now = environment.monotonicNanoseconds()
        let last = try await kept().last
        state.withLock { $0.look(at: last, now: now) }
        try await journal(through: last)
    }

    /// Returns once a commit is in the journal of enough stores. Callers that wait together share a segment; none fails
    /// of a pass that had begun before it came.
    package func journal(through version: CommitVersion) async throws(IndexBackupError) {
        while true {
            let turn = await withCheckedContinuation { (waiter: CheckedContinuation<JournalState.Turn, Never>) in
                let immediate = state.withLock { $0.join(version, waiter) }
                if let immediate { waiter.resume(returning: immediate) }
            }
            switch turn {
            case .done: return
            case .failed(let error): throw error
            case .lead:
                let result = await pass()
                let now = environment.monotonicNanoseconds()
                let (waiters, successor) = state.withLock { $0.endPass(result, now: now) }
                for waiter in waiters { waiter.continuation.resume(returning: waiter.turn) }
                successor?.resume(returning: .lead)
                if case .failure(let error) = result { throw error }
            }
        }
    }

    /// Takes a snapshot now, and forgets what the last two make needless.
    package func takeSnapshot() async throws(IndexBackupError) {
        // The journal reaches every snapshot that there is, so that it tells of the last commits before one as well.
        let version = try await writeSnapshot { version throws(IndexBackupError) in
            try await journal(through: version)
        }
        state.withLock { $0.snapshotTaken(version) }
        _ = await BackupPruner(stores: stores, epoch: epoch).prune()
    }

    /// - Parameter beforeLast: awaited with the snapshot's commit before the part that makes it whole.
    private func writeSnapshot(
        beforeLast: (CommitVersion) async throws(IndexBackupError) -> Void = { _ in }
    ) async throws(IndexBackupError) -> CommitVersion {
        let writer = SnapshotWriter(stores: stores, epoch: epoch, partBytes: options.partBytes)
        let attempt = UInt32(truncatingIfNeeded: environment.random() & 0xFFFF)
        return try await writer.write(index, attempt: attempt, beforeLast: beforeLast)
    }

    private func snapshotIfDue() async throws(IndexBackupError) {
        let isDue = state.withLock {
            $0.bytesSinceSnapshot >= options.snapshotAfterBytes
                || $0.segmentsSinceSnapshot >= options.snapshotAfterSegments
        }
        if isDue { try await takeSnapshot() }
    }

    private func kept() async throws(IndexBackupError) -> KeptChanges {
        do throws(MetadataError) { return try await index.kept() } catch { throw .index(error) }
    }

    /// Writes all that the index has and the journal does not, segment by segment.
    private func pass() async -> Result<JournalState.Position, IndexBackupError> {
        do throws(IndexBackupError) {
            var position = try await startingPosition()
            while true {
                let changes = try await changes(after: &position)
                guard let last = changes.last else { break }
                let frame = BackupFrame(changes: changes, base: position.version, previous: position.chain)
                let encoded = frame.encode()
                let name = BlobName(
                    kind: .journal, epoch: epoch, counter: position.version + 1,
                    random: UInt32(truncatingIfNeeded: environment.random()))
                try await stores.write(name, encoded)
                position = JournalState.Position(version: last.version, chain: BackupFrame.digest(of: encoded))
                state.withLock { $0.stored(position, bytes: encoded.count) }
            }
            try await rememberIfDue(position)
            return .success(position)
        } catch {
            return .failure(error)
        }
    }

    /// The next changes. Where the index has forgotten them, since the stores were away for too long, the chain
    /// begins anew.
    private func changes(after position: inout JournalState.Position) async throws(IndexBackupError) -> [Change] {
        do throws(MetadataError) {
            return try await index.changes(after: position.version, limit: 2000)
        } catch {
            guard try await kept().oldestCursor > position.version else { throw .index(error) }
            position = try await newChain()
            do throws(MetadataError) {
                return try await index.changes(after: position.version, limit: 2000)
            } catch {
                throw .index(error)
            }
        }
    }

    /// Where the journal ends.
    private func startingPosition() async throws(IndexBackupError) -> JournalState.Position {
        if let position = state.withLock({ $0.position }) { return position }
        let kept = try await kept()
        guard let mark = kept.mark, mark.chain.count == BackupFrame.digestLength, mark.version >= kept.oldestCursor,
            mark.version <= kept.last
        else { return try await newChain() }
        let catalogue = BackupCatalogue(
            journals: await stores.names(.journal), snapshots: await stores.names(.snapshot))
        // Stores that were replaced hold nothing that the chain could go on from.
        guard let snapshot = catalogue.snapshots.first else { return try await newChain() }
        let position = JournalState.Position(version: mark.version, chain: mark.chain)
        let segments = catalogue.segments.filter { $0.firstCommit > snapshot.version }
        state.withLock {
            $0.resume(position, bytes: segments.reduce(0) { $0 + Int($1.length) }, segments: segments.count)
        }
        return position
    }

    /// Begins a chain: with a snapshot, so that there is something that the journal continues. What this process
    /// committed before it, and what is committed while it is written, is in both.
    private func newChain() async throws(IndexBackupError) -> JournalState.Position {
        let kept = try await kept()
        let isFirst = state.withLock { $0.position == nil }
        let start = isFirst ? max(kept.oldestCursor, min(begun, kept.last)) : kept.last
        let position = JournalState.Position(version: start, chain: BackupFrame.noDigest)
        // A mark without a chain only makes the index keep what is committed meanwhile.
        try await remember(JournalMark(version: position.version, chain: []))
        let version = try await writeSnapshot()
        state.withLock { $0.begin(position, behind: version) }
        return position
    }

    /// Lets the index remember the end of the chain: seldom, since what is journalled twice does no harm and each
    /// time is a commit.
    private func rememberIfDue(_ position: JournalState.Position) async throws(IndexBackupError) {
        guard state.withLock({ $0.shouldRemember }) else { return }
        try await remember(JournalMark(version: position.version, chain: position.chain))
        state.withLock { $0.remembered() }
    }

    private func remember(_ mark: JournalMark) async throws(IndexBackupError) {
        do throws(MetadataError) { try await index.keepChanges(after: mark) } catch { throw .index(error) }
    }
}
