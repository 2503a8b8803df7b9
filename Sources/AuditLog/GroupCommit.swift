import Audit

/// What waits to be written, and who waits for it: the state of a log between its callers and its thread.
///
/// A value that does no I/O: its owner keeps it behind a lock, and does what it returns outside the lock.
struct GroupCommit {
    typealias Answer = CheckedContinuation<Result<[AuditIndex], AuditError>, Never>

    /// Records that came together and are answered together.
    struct Submission {
        let records: [LinkableRecord]
        /// The places of all that was handed over, of records met before too.
        let indices: [AuditIndex]
        let durability: AuditDurability
        let answer: Answer
    }

    enum Admission {
        case refused(AuditError)
        /// Accepted; where `needsThread`, the owner starts draining.
        case accepted(needsThread: Bool)
    }

    private enum Phase {
        case running
        case stopping
        case failed(AuditError)
    }

    private var phase = Phase.running
    private var pending: [Submission] = []
    private var pendingBytes = 0
    private let maximumPendingBytes: Int
    private var nextSequence: UInt64
    private var recent: RecentRecords
    private var isDraining = false
    private var isSyncScheduled = false
    private(set) var isOnReserve = false
    /// The last record that is on the disk.
    private(set) var syncedHead: AuditHead?

    init(nextSequence: UInt64, recent: RecentRecords, maximumPendingBytes: Int) {
        (self.nextSequence, self.recent) = (nextSequence, recent)
        self.maximumPendingBytes = maximumPendingBytes
    }

    var acceptsMutations: Bool {
        guard case .running = phase else { return false }
        return !isOnReserve && pendingBytes <= maximumPendingBytes
    }

    /// Takes records in, giving them their numbers.
    ///
    /// - Parameters:
    ///   - fromOutbox: Whether records met before are left out.
    ///   - isLast: Whether nothing is taken in after this.
    mutating func submit(
        _ records: [LinkableRecord], _ durability: AuditDurability, fromOutbox: Bool, isLast: Bool = false,
        answer: Answer
    ) -> Admission {
        switch phase {
        case .running: break
        case .stopping: return .refused(.unavailable("the log is being closed"))
        case .failed(let error): return .refused(error)
        }
        guard pendingBytes <= maximumPendingBytes || isLast else {
            return .refused(.unavailable("too many records wait to be written"))
        }
        if isLast { phase = .stopping }
        var fresh: [LinkableRecord] = []
        var indices: [AuditIndex] = []
        for record in records {
            if fromOutbox, let known = recent[record.record.eventID] {
                indices.append(AuditIndex(sequence: known))
                continue
            }
            if fromOutbox { recent.insert(record.record.eventID, nextSequence) }
            indices.append(AuditIndex(sequence: nextSequence))
            fresh.append(record)
            nextSequence += 1
            pendingBytes += record.record.canonicalJSON.count
        }
        // A batch of known records alone is queued too: its records may still wait for their own sync.
        pending.append(Submission(records: fresh, indices: indices, durability: durability, answer: answer))
        defer { isDraining = true }
        return .accepted(needsThread: !isDraining)
    }

    /// Everything that waits; nil where nothing does, and then the thread stops draining.
    mutating func takeGroup() -> [Submission]? {
        guard !pending.isEmpty else {
            isDraining = false
            return nil
        }
        defer { (pending, pendingBytes) = ([], 0) }
        return pending
    }

    /// Notes what a write left behind; returns whether a sync is to be scheduled.
    mutating func wrote(_ status: LogWriter.Status) -> Bool {
        isOnReserve = status.isOnReserve
        guard status.isDirty else {
            syncedHead = status.head
            return false
        }
        guard !isSyncScheduled else { return false }
        isSyncScheduled = true
        return true
    }

    /// Notes that a scheduled sync is under way.
    mutating func beginScheduledSync() {
        isSyncScheduled = false
    }

    /// Ends the log for good: a failed write or sync is never retried. Returns who is to be told.
    mutating func fail(_ error: AuditError) -> [Submission] {
        phase = .failed(error)
        defer { (pending, pendingBytes) = ([], 0) }
        return pending
    }
}

/// The ids of the last records that came through the outbox, and their places.
struct RecentRecords {
    private var sequences: [String: UInt64] = [:]
    /// The ids in the order in which they came; a ring once it is full.
    private var ring: [String] = []
    private var oldest = 0
    private let capacity: Int

    init(capacity: Int = AuditBatch.rememberedCount) {
        self.capacity = capacity
    }

    subscript(eventID: String) -> UInt64? { sequences[eventID] }

    mutating func insert(_ eventID: String, _ sequence: UInt64) {
        guard sequences.updateValue(sequence, forKey: eventID) == nil else { return }
        if ring.count < capacity {
            ring.append(eventID)
        } else {
            sequences[ring[oldest]] = nil
            ring[oldest] = eventID
            oldest = (oldest + 1) % capacity
        }
    }
}
