import Metadata

/// What `IndexBackup` knows between its passes: no I/O, so that a pass is one caller's at a time and others wait for
/// it.
struct JournalState: Sendable {
    /// The end of the chain.
    struct Position: Sendable, Hashable {
        var version: CommitVersion
        var chain: [UInt8]
    }

    /// What a caller has to do next.
    enum Turn: Sendable {
        /// Its commit is in the journal.
        case done
        /// It makes the next pass, for all who wait.
        case lead
        case failed(IndexBackupError)
    }

    typealias Waiter = CheckedContinuation<Turn, Never>

    /// Who waits for a commit while another makes a pass.
    private struct Waiting {
        var version: CommitVersion
        var waiter: Waiter
        /// Whether it waited already when the pass began that is under way.
        var isOld = false
    }

    private(set) var position: Position?
    private(set) var bytesSinceSnapshot = 0
    private(set) var segmentsSinceSnapshot = 0
    private var isPassing = false
    private var waiting: [Waiting] = []
    private var segmentsSinceMark = 0
    private var hasMark = false
    private var caughtUpAt: UInt64
    /// Whether the index had commits that the journal lacked when it was looked at last.
    private var isBehind = false
    private var lastSnapshot: CommitVersion?
    private var failures = 0
    private var lastFailure: IndexBackupError?

    /// Segments after which the index is told of the end of the chain.
    private static let segmentsPerMark = 16

    init(now: UInt64) {
        caughtUpAt = now
    }

    /// Asks for a commit to be in the journal: what to do at once, or nil where the waiter is called later.
    mutating func join(_ version: CommitVersion, _ waiter: Waiter) -> Turn? {
        if let position, position.version >= version { return .done }
        guard isPassing else {
            isPassing = true
            return .lead
        }
        waiting.append(Waiting(version: version, waiter: waiter))
        return nil
    }

    /// Ends a pass: who is to be called with what, and who makes the next one.
    ///
    /// A pass that fails may have failed of what was wrong when it began, and no more when others came to wait for it:
    /// a store that hesitated for long, another that was away before. They are given a pass that begins after they
    /// came, which is one more at most.
    mutating func endPass(
        _ result: Result<Position, IndexBackupError>, now: UInt64
    ) -> (waiters: [(continuation: Waiter, turn: Turn)], successor: Waiter?) {
        // A pass may get some way before it fails.
        let reached: Position? = if case .success(let end) = result { end } else { position }
        let isReached = { (one: Waiting) in reached.map { one.version <= $0.version } ?? false }
        var called = waiting.filter(isReached).map { (continuation: $0.waiter, turn: Turn.done) }
        waiting.removeAll(where: isReached)
        switch result {
        case .failure(let error):
            called += waiting.filter(\.isOld).map { ($0.waiter, .failed(error)) }
            waiting.removeAll(where: \.isOld)
            failed(error)
        case .success: (caughtUpAt, isBehind) = (now, false)
        }
        guard !waiting.isEmpty else {
            isPassing = false
            return (called, nil)
        }
        let successor = waiting.removeFirst().waiter
        for index in waiting.indices { waiting[index].isOld = true }
        return (called, successor)
    }

    /// A chain begins with a snapshot, at its commit or shortly before it.
    mutating func begin(_ position: Position, behind snapshot: CommitVersion) {
        (self.position, hasMark) = (position, false)
        snapshotTaken(snapshot)
    }

    /// A chain of an earlier process goes on.
    mutating func resume(_ position: Position, bytes: Int, segments: Int) {
        (self.position, hasMark) = (position, true)
        (bytesSinceSnapshot, segmentsSinceSnapshot) = (bytes, segments)
    }

    mutating func stored(_ position: Position, bytes: Int) {
        self.position = position
        bytesSinceSnapshot += bytes
        segmentsSinceSnapshot += 1
        segmentsSinceMark += 1
    }

    /// Whether the index is to be told of the end of the chain.
    var shouldRemember: Bool { segmentsSinceMark >= Self.segmentsPerMark || !hasMark }

    mutating func remembered() {
        (segmentsSinceMark, hasMark) = (0, true)
    }

    mutating func snapshotTaken(_ version: CommitVersion) {
        // A chain that begins anew while another snapshot is written has a later one.
        lastSnapshot = max(lastSnapshot ?? 0, version)
        (bytesSinceSnapshot, segmentsSinceSnapshot) = (0, 0)
    }

    mutating func failed(_ error: IndexBackupError) {
        failures += 1
        lastFailure = error
    }

    /// Takes what the index's last commit was at a time; nil where the index cannot tell.
    mutating func look(at last: CommitVersion?, now: UInt64) {
        isBehind = last.map { (position?.version ?? 0) < $0 } ?? true
        if !isBehind { caughtUpAt = max(caughtUpAt, now) }
    }

    func status(now: UInt64) -> IndexBackupStatus {
        IndexBackupStatus(
            journalledThrough: position?.version ?? 0, lastSnapshot: lastSnapshot,
            secondsBehind: isBehind ? Double(now - min(now, caughtUpAt)) / 1e9 : 0, failures: failures,
            lastFailure: lastFailure)
    }
}
