import Audit
import Cryptography

/// Finds the end of a log when it is opened, and cuts off what a crash left unfinished.
///
/// Only unsynced records can be torn, and only at the end of the last segment: cut short, or after a power cut with
/// holes of zeros between them. What is cut is kept in a file of its own and named in the record of the restart, so
/// that nobody can use a crash to make records vanish without a trace. What no crash explains is not cut: such a log is
/// opened only by whoever says so, and goes on behind it.
struct LogRecovery {
    /// The event's name of the record that ends a run.
    static let cleanStop = "AuditLogStopped"
    /// The event's name of the record that begins a run after one that did not end cleanly.
    static let uncleanRestart = "AuditLogRestartedUncleanly"
    /// The event's name of the record that begins a run on a log that lacks records, or has damaged ones.
    static let acceptedLoss = "AuditLogLossAccepted"

    private let directory: PosixDirectory
    private let noted: AuditHead?
    private let acceptsLoss: Bool

    /// - Parameters:
    ///   - noted: a record that was durable, as was noted elsewhere than in the mark.
    ///   - acceptsLoss: whether a log that is damaged is opened too. Nothing of it is changed then; it goes on in a new
    ///     segment, with a number that no record had before.
    init(_ directory: PosixDirectory, noted: AuditHead?, acceptsLoss: Bool) {
        (self.directory, self.noted, self.acceptsLoss) = (directory, noted, acceptsLoss)
    }

    /// - Throws: `damaged` where the log is not as any crash could have left it, unless that is accepted; `unavailable`
    ///   where a file cannot be read.
    func run() throws(AuditError) -> LogEnd {
        let mark: SyncedMark.Content
        let found: Found
        do throws(PosixFailure) {
            mark = try SyncedMark(in: directory).read()
            found = try scan(mark)
        } catch {
            throw .unavailable("\(error)")
        }
        let losses = losses(found, isMarkUnreadable: mark == .unreadable)
        guard losses.isEmpty else {
            guard acceptsLoss else { throw .damaged(Self.advice(losses, directory.path)) }
            return accepting(losses, found)
        }
        do throws(PosixFailure) {
            return try end(found)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    /// What there is to decide by.
    private struct Found {
        /// Records that were durable, by their numbers.
        var marks: [AuditHead] = []
        var before: SegmentScan?
        var last: SegmentScan?
    }

    /// Reads the last segment and the one before it.
    private func scan(_ mark: SyncedMark.Content) throws(PosixFailure) -> Found {
        var marks = Set(noted.map { [$0] } ?? [])
        if case .record(let head) = mark { marks.insert(head) }
        var found = Found(marks: marks.sorted { $0.sequence < $1.sequence })
        let names = try directory.names().compactMap { SegmentName($0) }.sorted()
        guard let last = names.last else { return found }
        var previous: [UInt8]? = last.firstSequence == 0 ? ChainLink.origin : nil
        if names.count > 1 {
            let before = try SegmentScan(names[names.count - 2], in: directory, after: nil, marks: found.marks)
            (found.before, previous) = (before, before.hash)
        }
        found.last = try SegmentScan(last, in: directory, after: previous, marks: found.marks)
        return found
    }

    /// What no crash explains, in sentences.
    private func losses(_ found: Found, isMarkUnreadable: Bool) -> [String] {
        var losses: [String] = []
        let last = found.last
        if let before = found.before, let last, !last.beginsAnew,
            before.brokenLine != nil || before.nextSequence != last.name.firstSequence
        {
            losses.append("\(before.name) does not lead to \(last.name)")
        }
        if let last, let line = last.brokenLine, last.stranded > 0, !last.hasHole {
            losses.append(
                "\(last.name) is damaged at line \(line), and \(last.stranded) complete records stand there and after "
                    + "it, which no crash leaves")
        }
        if isMarkUnreadable { losses.append("`\(SyncedMark.fileName)` holds no record's number and hash") }
        let next = last?.nextSequence ?? 0
        if let mark = found.marks.last, mark.sequence >= next {
            losses.append(
                (next == 0 ? "there are no records" : "the sound records end with \(next - 1)")
                    + ", but record \(mark.sequence) was on the disk")
        }
        // What stands before an accepted loss was told then.
        let unlike = (last?.beginsAnew ?? false ? [] : found.before?.unlikeMark ?? []) + (last?.unlikeMark ?? [])
        for mark in unlike { losses.append("record \(mark.sequence) is not the one that was on the disk") }
        return losses
    }

    private static func advice(_ losses: [String], _ path: String) -> String {
        losses.joined(separator: "; ")
            + ". Nothing was changed. Keep a copy of \(path), see what `tidegate audit verify` finds there, and bring "
            + "back what is missing if it can be had. `tidegate audit accept-loss` records the loss, and lets the "
            + "gateway go on"
    }

    /// The end of a log that is as it should be, but for what a crash left unfinished, which is cut off.
    private func end(_ found: Found) throws(PosixFailure) -> LogEnd {
        var end = LogEnd()
        guard let last = found.last else { return end }
        let before = found.before
        (end.nextSequence, end.segment) = (last.nextSequence, last.name)
        end.hash = last.hash ?? before?.hash ?? ChainLink.origin
        end.wasClean = last.brokenLine == nil && (last.hash == nil ? before?.wasClean ?? true : last.wasClean)
        // What is stranded is cut off, so that the outbox must bring it again.
        end.recent = (before?.recent.records ?? []) + last.recent.records
        if last.brokenLine != nil { end.cut = try cut(last) }
        return end
    }

    /// The end of a log that goes on behind what it lacks: after the greatest number that is known of.
    private func accepting(_ losses: [String], _ found: Found) -> LogEnd {
        var end = LogEnd()
        (end.losses, end.wasClean) = (losses, false)
        for scan in [found.before, found.last] {
            guard let scan else { continue }
            end.recent += scan.recent.records + scan.recentStranded.records
            let furthest = scan.furthest
            guard furthest.nextSequence >= end.nextSequence else { continue }
            (end.nextSequence, end.hash) = (furthest.nextSequence, furthest.hash ?? end.hash)
        }
        if let mark = found.marks.last, mark.sequence >= end.nextSequence {
            (end.nextSequence, end.hash) = (mark.sequence + 1, mark.hash)
        }
        return end
    }

    /// A name that no earlier restart has used, however often one crashed at the same record.
    private func freeName(at sequence: UInt64) throws(PosixFailure) -> String {
        let taken = try directory.names().filter { TornFiles.isName($0) }
        var number = taken.count
        while taken.contains(TornFiles.name(sequence, number)) { number += 1 }
        return TornFiles.name(sequence, number)
    }

    /// Keeps what stands behind the sound records beside the log, and then cuts it off.
    private func cut(_ scan: SegmentScan) throws(PosixFailure) -> AuditCut {
        let name = try freeName(at: scan.nextSequence)
        let file = try PosixFile(directory.file("\(scan.name)"), .updating)
        let size = try file.size()
        let copy = try PosixFile(directory.file(name), .creating)
        let digest = Digest(.sha256)
        var offset = scan.soundEnd
        while offset < size {
            var bytes: [UInt8] = []
            let count = try file.read(into: &bytes, at: offset, limit: 1 << 20)
            guard count > 0 else { break }
            if let failure = copy.write(bytes, from: 0).failure { throw failure }
            digest.update(bytes)
            offset += Int64(count)
        }
        try copy.synchronize()
        try directory.synchronize()
        try file.truncate(to: scan.soundEnd)
        try file.synchronize()
        return AuditCut(
            bytes: offset - scan.soundEnd, file: name, sha256: digest.finalize(), sequence: scan.nextSequence)
    }
}
