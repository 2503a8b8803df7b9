import Audit

/// What a segment holds, as far as it tells where the log ends.
struct SegmentScan {
    let name: SegmentName
    /// The number of the record that has to follow on the unbroken chain from the segment's first record.
    private(set) var nextSequence: UInt64
    /// The hash of the last record of that chain; nil where the segment has none.
    private(set) var hash: [UInt8]?
    /// Whether that record is the one of a clean stop.
    private(set) var wasClean = false
    /// Where that record ends, in bytes.
    private(set) var soundEnd: Int64 = 0
    private(set) var size: Int64 = 0
    /// Lines that end, each of which is a record or was one.
    private(set) var lines: UInt64 = 0
    /// The first line, from 1, that is not what the chain wants.
    private(set) var brokenLine: UInt64?
    /// Whether that line has bytes that were never written. A power cut leaves such holes where the disk had taken what
    /// comes later first; no record has a zero byte.
    private(set) var hasHole = false
    /// Lines that are complete records although a line before them, or they themselves, are not what the chain wants.
    /// A crash leaves none but behind a hole: it tears the end of what was written, and nothing that others follow.
    private(set) var stranded: UInt64 = 0
    /// The one of them with the greatest number.
    private(set) var lastStranded: AuditHead?
    /// Whether the first record says that what is wrong before it was accepted.
    private(set) var beginsAnew = false
    /// Records whose hash is not the one that was noted of them.
    private(set) var unlikeMark: [AuditHead] = []
    /// The last records of the chain that came through the outbox, the oldest first.
    private(set) var recent = RecentEnd()
    /// The last of those that are stranded.
    private(set) var recentStranded = RecentEnd()

    /// Numbers further ahead than these are damage themselves and not believed, so that they are not used up.
    private static let believedDistance: UInt64 = 1 << 32

    /// Reads a segment to its end.
    ///
    /// - Parameters:
    ///   - previous: the hash that its first record has to name; nil where that is not known.
    ///   - marks: what was noted of records.
    init(
        _ name: SegmentName, in directory: PosixDirectory, after previous: [UInt8]?, marks: [AuditHead]
    ) throws(PosixFailure) {
        self.name = name
        nextSequence = name.firstSequence
        var reader = try SegmentReader(path: directory.file("\(name)"))
        var isFirst = true
        while let line = try reader.next() {
            size = line.end
            if line.isTerminated { lines += 1 }
            let record = line.isTerminated && !line.isTooLong ? LinkedRecord(line: line.bytes) : nil
            if isFirst { beginsAnew = record?.eventName.utf8.elementsEqual(LogRecovery.acceptedLoss.utf8) ?? false }
            let wanted = isFirst ? (beginsAnew ? nil : previous) : hash
            isFirst = false
            if brokenLine == nil, let record, record.link.sequence == nextSequence,
                wanted == nil || record.link.previous == wanted
            {
                follow(record, to: line.end, marks)
            } else {
                if brokenLine == nil {
                    brokenLine = line.isTerminated ? lines : lines + 1
                    hasHole = line.bytes.contains(0)
                }
                if let record { strand(record) }
            }
        }
    }

    private mutating func follow(_ record: LinkedRecord, to end: Int64, _ marks: [AuditHead]) {
        soundEnd = end
        (nextSequence, hash) = (record.link.sequence + 1, record.hash)
        wasClean = record.eventName.utf8.elementsEqual(LogRecovery.cleanStop.utf8)
        unlikeMark += marks.filter { $0.sequence == record.link.sequence && $0.hash != record.hash }
        recent.remember(record)
    }

    private mutating func strand(_ record: LinkedRecord) {
        stranded += 1
        recentStranded.remember(record)
        let head = AuditHead(sequence: record.link.sequence, hash: record.hash)
        guard head.sequence < nextSequence + Self.believedDistance else { return }
        if lastStranded.map({ $0.sequence <= head.sequence }) ?? true { lastStranded = head }
    }

    /// Where the log can go on so that no number is given out twice: the next number, and the hash to name.
    var furthest: (nextSequence: UInt64, hash: [UInt8]?) {
        // Not the segment's own number again where it holds anything: what follows begins a file of its own.
        let counted = max(nextSequence, name.firstSequence + max(lines, size > 0 ? 1 : 0))
        guard let lastStranded, lastStranded.sequence + 1 >= nextSequence else { return (counted, hash) }
        return (max(counted, lastStranded.sequence + 1), lastStranded.hash)
    }
}

/// The last records of a segment that came through the outbox.
struct RecentEnd {
    /// The oldest first.
    private(set) var records: [(eventID: String, sequence: UInt64)] = []

    mutating func remember(_ record: LinkedRecord) {
        guard record.isDoneMutation else { return }
        records.append((record.eventID, record.link.sequence))
        if records.count > 2 * AuditBatch.rememberedCount {
            records.removeFirst(records.count - AuditBatch.rememberedCount)
        }
    }
}
