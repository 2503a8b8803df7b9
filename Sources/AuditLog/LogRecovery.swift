import Audit

/// Where a log ends, and how it came to end there.
struct LogEnd {
    /// The number that the next record gets.
    var nextSequence: UInt64 = 0
    /// The hash of the last record.
    var hash = ChainLink.origin
    /// The segment to go on in; nil where there is none yet.
    var segment: SegmentName?
    /// Whether the last run ended with its record of a clean stop, or there was no run.
    var wasClean = true
    /// The unfinished end that was cut off, if any.
    var torn: TornTail?
    /// The last records that came through the outbox, the oldest first.
    var recent: [(eventID: String, sequence: UInt64)] = []

    struct TornTail {
        var bytes: Int64
        /// The file beside the segments that keeps what was cut.
        var file: String
    }
}

/// Finds the end of a log when it is opened, and cuts off what a crash left unfinished.
///
/// Only unsynced records can be torn, and only at the end of the last segment. What is cut is kept in a file of its own
/// and named in the record of the restart, so that nobody can use a crash to make records vanish without a trace.
struct LogRecovery {
    private let directory: PosixDirectory

    /// The event's name of the record that ends a run.
    static let cleanStop = "AuditLogStopped"
    /// The event's name of the record that begins a run after one that did not end cleanly.
    static let uncleanRestart = "AuditLogRestartedUncleanly"

    init(_ directory: PosixDirectory) {
        self.directory = directory
    }

    /// - Throws: `unavailable` where a file cannot be read, or the log is damaged in a way that no crash explains.
    func run() throws(AuditError) -> LogEnd {
        do {
            return try recover()
        } catch let failure as PosixFailure {
            throw .unavailable("\(failure)")
        } catch let error as AuditError {
            throw error
        } catch {
            throw .unavailable("\(error)")
        }
    }

    private func recover() throws -> LogEnd {
        let segments = try directory.names().compactMap { SegmentName($0) }.sorted()
        var end = LogEnd()
        guard let last = segments.last else { return end }
        if segments.count > 1 {
            let before = segments[segments.count - 2]
            try read(before, into: &end, startsChain: false)
            guard end.nextSequence == last.firstSequence, end.torn == nil else {
                throw AuditError.unavailable("\(before) does not lead to \(last): run `tidegate audit verify`")
            }
        }
        end.segment = last
        try read(last, into: &end, startsChain: segments.count == 1)
        if let torn = end.torn { try cut(torn, from: last) }
        return end
    }

    /// Follows a segment to its last good record; what comes after that is left in `end.torn`.
    private func read(_ segment: SegmentName, into end: inout LogEnd, startsChain: Bool) throws {
        var reader = try SegmentReader(path: directory.file("\(segment)"))
        var isFirst = true
        var goodEnd: Int64 = 0
        var lastLine: SegmentReader.Line?
        var isBroken = false
        end.nextSequence = segment.firstSequence
        while let line = try reader.next() {
            lastLine = line
            guard !isBroken else { continue }
            // The first record of the first segment that is read has nothing before it to be held against.
            let knowsPrevious = !isFirst || end.hash != ChainLink.origin || startsChain && segment.firstSequence == 0
            guard line.isTerminated, !line.isTooLong, let record = LinkedRecord(line: line.bytes),
                record.link.sequence == end.nextSequence, !knowsPrevious || record.link.previous == end.hash
            else {
                isBroken = true
                continue
            }
            isFirst = false
            goodEnd = line.end
            (end.nextSequence, end.hash) = (record.link.sequence + 1, record.hash)
            end.wasClean = record.eventName.utf8.elementsEqual(Self.cleanStop.utf8)
            if record.isDoneMutation { remember(record, in: &end) }
        }
        guard isBroken, let lastLine else { return }
        if lastLine.isTerminated, let record = LinkedRecord(line: lastLine.bytes),
            record.eventName.utf8.elementsEqual(Self.cleanStop.utf8)
        {
            // A run that ended cleanly synced everything before its last record, so that no crash did this.
            throw AuditError.unavailable(
                "\(segment) is damaged after record \(end.nextSequence): run `tidegate audit verify`")
        }
        end.wasClean = false
        end.torn = LogEnd.TornTail(bytes: lastLine.end - goodEnd, file: try freeName(at: end.nextSequence))
    }

    /// A name that no earlier restart has used, however often one crashed at the same record.
    private func freeName(at sequence: UInt64) throws -> String {
        let taken = try directory.names().filter { $0.utf8.starts(with: "torn-".utf8) }
        return "torn-\(sequence)-\(taken.count).bin"
    }

    private func remember(_ record: LinkedRecord, in end: inout LogEnd) {
        end.recent.append((record.eventID, record.link.sequence))
        if end.recent.count > 2 * AuditBatch.rememberedCount {
            end.recent.removeFirst(end.recent.count - AuditBatch.rememberedCount)
        }
    }

    /// Keeps the torn bytes beside the log, and then cuts them off.
    private func cut(_ torn: LogEnd.TornTail, from segment: SegmentName) throws {
        let file = try PosixFile(directory.file("\(segment)"), .updating)
        let size = try file.size()
        let kept = size - torn.bytes
        let copy = try PosixFile(directory.file(torn.file), .creating)
        var offset = kept
        while offset < size {
            var bytes: [UInt8] = []
            let count = try file.read(into: &bytes, at: offset, limit: 1 << 20)
            guard count > 0 else { break }
            if let failure = copy.write(bytes, from: 0).failure { throw failure }
            offset += Int64(count)
        }
        try copy.synchronize()
        try directory.synchronize()
        try file.truncate(to: kept)
        try file.synchronize()
    }
}
