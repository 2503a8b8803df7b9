package import Audit
import Dispatch
package import Primitives
import Synchronization

/// The audit log of one node: append-only files of chained records in a directory.
///
/// Callers hand records over and wait; one thread of the log's own links them, writes them in groups and syncs them. A
/// record of `strict` durability is answered after the sync of its group, one of `bounded` durability after the write
/// (so that a crash of the process alone loses nothing), with a sync following within `syncIntervalMilliseconds`. A
/// failed write or sync ends the log: everything later is refused, since nobody knows what the disk holds, and the
/// process is to be restarted.
///
/// What is synced is noted in a mark beside the segments (`SyncedMark`), on a thread of its own, so that no record
/// waits for it.
package final class FileAuditLog: AuditSink {
    private let options: AuditLogOptions
    private let environment: any Environment
    /// Serial, so that it is at most one thread.
    private let queue: DispatchQueue
    private let state: Mutex<GroupCommit>
    /// Used on `queue` alone but for opening; nil after the clean stop.
    private let writer: Mutex<LogWriter?>
    private let marker: MarkKeeper

    /// The unfinished end that was cut off when the log was opened; nil where there was none.
    package let cut: AuditCut?
    /// What is wrong with the log and was accepted when it was opened, in sentences.
    package let acceptedLosses: [String]

    /// Opens a log, cutting off what a crash left unfinished, and records the start. It reads the last segments: call
    /// it at start-up.
    ///
    /// The first record is `AuditLogStarted`, or `AuditLogRestartedUncleanly` where the last run did not end with
    /// `AuditLogStopped`; records of `bounded` durability may then be missing before it. Where a loss was accepted, it
    /// is `AuditLogLossAccepted`.
    /// - Parameters:
    ///   - noted: a record that was durable, as was noted elsewhere; the log's own mark is looked at besides.
    ///   - acceptsLoss: whether a log that is damaged is opened too: it goes on in a new segment behind all that is
    ///     there, and nothing of that is changed.
    ///   - onMarkFailure: called when the mark could not be set, which the next sync tries again.
    /// - Throws: `damaged` where the log is not as any crash could have left it; `unavailable` where another process
    ///   has the log or a file cannot be used.
    package init(
        _ options: AuditLogOptions, environment: any Environment, noted: AuditHead? = nil, acceptsLoss: Bool = false,
        onMarkFailure: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(AuditError) {
        guard ChainLink.isValidNode(options.node) else {
            throw .unavailable("the node's name `\(options.node)` is not 1 to 64 letters, digits, `-`, `_`, `.`")
        }
        (self.options, self.environment) = (options, environment)
        queue = DispatchQueue(label: "tidegate.audit-log")
        let directory = PosixDirectory(options.directory)
        let lock = try Self.lock(directory)
        let end = try LogRecovery(directory, noted: noted, acceptsLoss: acceptsLoss).run()
        (cut, acceptedLosses) = (end.cut, end.losses)
        let marker = MarkKeeper(in: directory, options.markIntervalMilliseconds, onFailure: onMarkFailure)
        self.marker = marker
        let first = try LinkableRecord(Self.startRecord(after: end, options, environment))
        var recent = RecentRecords()
        for record in end.recent { recent.insert(record.eventID, record.sequence) }
        var group = GroupCommit(
            nextSequence: end.nextSequence + 1, recent: recent, maximumPendingBytes: options.pendingBytes)
        do throws(PosixFailure) {
            var writer = try LogWriter(options, after: end, lock: lock)
            try writer.append([first])
            try writer.synchronize()
            _ = group.wrote(writer.status)
            if let head = group.syncedHead { try marker.set(head) }
            self.writer = Mutex(writer)
        } catch {
            throw .unavailable("\(error)")
        }
        state = Mutex(group)
    }

    package var acceptsMutations: Bool { state.withLock { $0.acceptsMutations } }

    /// The last record that is on the disk: what `tidegate audit verify --expect-head` takes.
    package var head: AuditHead? { state.withLock { $0.syncedHead } }

    package func append(_ record: AuditRecord, durability: AuditDurability) async throws(AuditError) -> AuditIndex {
        let linkable = try LinkableRecord(record)
        return try await submit([linkable], durability, fromOutbox: false)[0]
    }

    package func append(contentsOf records: [AuditRecord]) async throws(AuditError) -> [AuditIndex] {
        guard records.count <= AuditBatch.maximumCount else { throw .tooLarge(records.count) }
        guard !records.isEmpty else { return [] }
        var linkable: [LinkableRecord] = []
        for record in records { linkable.append(try LinkableRecord(record)) }
        return try await submit(linkable, .strict, fromOutbox: true)
    }

    /// Records the clean stop and closes the log; everything later is refused. Call it when no request is in flight any
    /// more.
    ///
    /// - Throws: `unavailable` where the log had failed; it is closed all the same.
    package func stop() async throws(AuditError) {
        let event = AuditEvent.system(
            LogRecovery.cleanStop, id: environment.eventID(), at: environment.now(), region: options.region)
        let record = try LinkableRecord(AuditRecord(event))
        let outcome: Result<Void, AuditError>
        do throws(AuditError) {
            _ = try await submit([record], .strict, fromOutbox: false, isLast: true)
            outcome = .success(())
        } catch {
            outcome = .failure(error)
        }
        let marked = await close()
        try outcome.get()
        if let failure = marked { throw .unavailable("\(failure)") }
    }

    /// Sets the mark for the last time and lets go of the files.
    private func close() async -> PosixFailure? {
        await withCheckedContinuation { closed in
            queue.async {
                let failure = self.marker.finish(self.state.withLock { $0.syncedHead })
                self.writer.withLock { $0 = nil }
                closed.resume(returning: failure)
            }
        }
    }

    private func submit(
        _ records: [LinkableRecord], _ durability: AuditDurability, fromOutbox: Bool, isLast: Bool = false
    ) async throws(AuditError) -> [AuditIndex] {
        let result = await withCheckedContinuation { (answer: GroupCommit.Answer) in
            let admission = state.withLock {
                $0.submit(records, durability, fromOutbox: fromOutbox, isLast: isLast, answer: answer)
            }
            switch admission {
            case .refused(let error): answer.resume(returning: .failure(error))
            case .accepted(let needsThread): if needsThread { queue.async { self.drain() } }
            }
        }
        return try result.get()
    }
}

/// What runs on the log's thread.
extension FileAuditLog {
    private func drain() {
        while let group = state.withLock({ $0.takeGroup() }) { write(group) }
    }

    private func write(_ group: [GroupCommit.Submission]) {
        let strict = group.filter { $0.durability == .strict }
        let bounded = group.filter { $0.durability == .bounded }
        do throws(PosixFailure) {
            try withWriter { writer throws(PosixFailure) in try writer.append(group.flatMap(\.records)) }
        } catch {
            return fail(error, group)
        }
        for submission in bounded { submission.answer.resume(returning: .success(submission.indices)) }
        do throws(PosixFailure) {
            if !strict.isEmpty { try withWriter { writer throws(PosixFailure) in try writer.synchronize() } }
        } catch {
            return fail(error, strict)
        }
        for submission in strict { submission.answer.resume(returning: .success(submission.indices)) }
    }

    /// Does something with the writer, and notes what it left behind.
    private func withWriter(_ body: (inout LogWriter) throws(PosixFailure) -> Void) throws(PosixFailure) {
        let (needsSync, isSynced) = try writer.withLock { writer throws(PosixFailure) -> (Bool, Bool) in
            guard let status = try writer?.perform(body) else { throw .closed(options.directory) }
            return (state.withLock { $0.wrote(status) }, !status.isDirty)
        }
        // The log lives on until the mark is set, and nobody else opens it before.
        if isSynced { marker.schedule { self.state.withLock { $0.syncedHead } } }
        guard needsSync else { return }
        queue.asyncAfter(deadline: .now() + .milliseconds(options.syncIntervalMilliseconds)) { self.scheduledSync() }
    }

    private func scheduledSync() {
        state.withLock { $0.beginScheduledSync() }
        do throws(PosixFailure) {
            // Closed meanwhile, and then synced too.
            guard writer.withLock({ $0 != nil }) else { return }
            try withWriter { writer throws(PosixFailure) in try writer.synchronize() }
        } catch {
            fail(error, [])
        }
    }

    private func fail(_ failure: PosixFailure, _ unanswered: [GroupCommit.Submission]) {
        let error = AuditError.unavailable("\(failure)")
        let waiting = state.withLock { $0.fail(error) }
        for submission in unanswered + waiting { submission.answer.resume(returning: .failure(error)) }
    }
}

/// Opening.
extension FileAuditLog {
    private static func lock(_ directory: PosixDirectory) throws(AuditError) -> PosixFile {
        do throws(PosixFailure) {
            try directory.create()
            let lock = try PosixFile(directory.file("lock"), .updating)
            if try lock.lock() { return lock }
        } catch {
            throw .unavailable("\(error)")
        }
        throw .unavailable("another process has the log in \(directory.path)")
    }

    private static func startRecord(
        after end: LogEnd, _ options: AuditLogOptions, _ environment: any Environment
    ) -> AuditRecord {
        var parameters = end.cut.map { TornFiles.parameters($0) } ?? [:]
        var name = end.wasClean ? "AuditLogStarted" : LogRecovery.uncleanRestart
        if !end.losses.isEmpty {
            name = LogRecovery.acceptedLoss
            parameters["losses"] = end.losses.joined(separator: "; ")
        }
        return AuditRecord(
            .system(
                name, id: environment.eventID(), at: environment.now(), region: options.region, parameters: parameters))
    }
}
