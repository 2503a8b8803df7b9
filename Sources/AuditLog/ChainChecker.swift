package import Audit
import Primitives

/// Where a line stands in a log.
package struct AuditPlace: Sendable, Hashable {
    /// The position of the segment among all.
    var segmentIndex: Int
    var segment: String
    /// From 1.
    var line: Int
    var offset: Int64

    package init(segmentIndex: Int, segment: String, line: Int, offset: Int64) {
        (self.segmentIndex, self.segment, self.line, self.offset) = (segmentIndex, segment, line, offset)
    }
}

/// Follows the chain through the records of a log, and says where it is broken and how. A value that does no I/O.
///
/// A record is held back until the next one is known, since a number that is out of order tells by its successor
/// whether it was changed or whether records are missing.
package struct ChainChecker {
    private struct Seen {
        var record: LinkedRecord
        var place: AuditPlace
    }

    /// Records that were noted elsewhere: each has to be there, and to be the same.
    private let expectedHeads: Set<AuditHead>
    /// The number that comes next.
    private var expected: UInt64 = 0
    /// Hashes that the next record may name: several where a record occurs twice, nil where the last one could not be
    /// read.
    private var hashes: [[UInt8]]? = [ChainLink.origin]
    /// Where the last record of the chain stands.
    private var lastPlace: AuditPlace?
    private var held: Seen?
    /// Lines that are no records, since the last record.
    private var unreadableLines: [(place: AuditPlace, message: String)] = []
    /// Numbers that were jumped over, and where the jump is.
    private var missing: [(range: Range<UInt64>, place: AuditPlace)] = []
    private var found: [(place: AuditPlace, finding: AuditFinding)] = []
    private var uncounted = 0
    /// Those of them that were met.
    private var metHeads: Set<AuditHead> = []
    private var endIsUnfinished = false

    /// Bounds what a thoroughly broken log can make us keep.
    private static let maximumKept = 10_000

    package init(expectedHeads: Set<AuditHead>) {
        self.expectedHeads = expectedHeads
    }

    /// The last record of the chain.
    package var head: AuditHead? {
        guard expected > 0, let hash = hashes?.last else { return nil }
        return AuditHead(sequence: expected - 1, hash: hash)
    }

    /// The findings in the order of the log, and how many were left out.
    package func findings(limit: Int) -> ([AuditFinding], Int) {
        let sorted = found.sorted {
            ($0.place.segmentIndex, $0.place.line) < ($1.place.segmentIndex, $1.place.line)
        }
        return (sorted.prefix(limit).map(\.finding), max(0, sorted.count - limit) + uncounted)
    }

    /// Takes the next record.
    package mutating func check(_ record: LinkedRecord, at place: AuditPlace) {
        if let previous = held { settle(previous, before: record) }
        held = Seen(record: record, place: place)
        settleUnreadable()
    }

    /// Takes a line that is no record.
    package mutating func unreadable(_ message: String, at place: AuditPlace) {
        if let previous = held { settle(previous, before: nil) }
        held = nil
        if unreadableLines.count < Self.maximumKept {
            unreadableLines.append((place, message))
        } else {
            uncounted += 1
        }
    }

    /// Takes a last line without its line feed.
    mutating func unfinished(at place: AuditPlace) {
        add(.truncated, nil, "the line does not end: the log was cut, or is being written", at: place)
        endIsUnfinished = true
    }

    mutating func misnamed(_ record: LinkedRecord, at place: AuditPlace) {
        add(
            .misnamed, nil, "the segment begins with record \(record.link.sequence), which its name does not say",
            at: place)
    }

    /// Takes something that stands under a segment's name and cannot be one.
    mutating func foreign(at place: AuditPlace) {
        add(.misnamed, nil, "what has a segment's name is no regular file, and is not read", at: place)
    }

    /// Takes a mark that names no record.
    mutating func unreadableMark(at place: AuditPlace) {
        add(.edited, nil, "the mark holds no record's number and hash", at: place)
    }

    /// Takes what is wrong with what was cut off when the log was opened.
    mutating func cut(_ message: String, _ sequences: Range<UInt64>? = nil, at place: AuditPlace) {
        add(.cut, sequences, message, at: place)
    }

    /// Takes a record behind which the log went on although something was lost.
    mutating func accepted(_ record: LinkedRecord, at place: AuditPlace) {
        add(
            .accepted, record.link.sequence..<record.link.sequence + 1,
            "the log goes on with record \(record.link.sequence), which says what was lost before it", at: place)
    }

    mutating func edited(_ record: LinkedRecord, _ message: String, at place: AuditPlace) {
        add(.edited, record.link.sequence..<record.link.sequence + 1, message, at: place)
    }

    /// Takes the end of the log.
    package mutating func finish() {
        if let previous = held { settle(previous, before: nil) }
        held = nil
        for line in unreadableLines {
            add(.edited, expected..<expected + 1, line.message, at: line.place)
            (expected, hashes, lastPlace) = (expected + 1, nil, line.place)
        }
        unreadableLines = []
        for gap in missing {
            add(.deleted, gap.range, "records \(Self.text(gap.range)) are missing before this line", at: gap.place)
        }
        checkEnd()
    }

    private mutating func checkEnd() {
        let end = lastPlace ?? AuditPlace(segmentIndex: 0, segment: "", line: 0, offset: 0)
        let heads = expectedHeads.sorted { ($0.sequence, $0.description) < ($1.sequence, $1.description) }
        guard expected > 0 else {
            let had = heads.last.map { ", but there was record \($0.sequence)" } ?? ""
            if !endIsUnfinished { add(.truncated, nil, "there are no records" + had, at: end) }
            return
        }
        for head in heads where !metHeads.contains(head) {
            if head.sequence >= expected {
                add(
                    .truncated, expected..<head.sequence + 1,
                    "the log ends with record \(expected - 1), but had record \(head.sequence)", at: end)
            } else {
                add(
                    .edited, 0..<head.sequence + 1,
                    "record \(head.sequence) is not the one that was noted: it, or something before it, was "
                        + "rewritten",
                    at: end)
            }
        }
    }

    /// Decides what lines that are no records were, once the record after them is known.
    private mutating func settleUnreadable() {
        guard let next = held?.record.link.sequence, !unreadableLines.isEmpty else { return }
        let lines = unreadableLines
        unreadableLines = []
        if next == expected {
            for line in lines { add(.inserted, nil, line.message, at: line.place) }
            return
        }
        for line in lines {
            // Beyond the next record's number there was nothing to edit.
            if expected < next {
                add(.edited, expected..<expected + 1, line.message, at: line.place)
                (expected, hashes, lastPlace) = (expected + 1, nil, line.place)
            } else {
                add(.inserted, nil, line.message, at: line.place)
            }
        }
    }

    /// Decides over a record, knowing the one after it.
    private mutating func settle(_ seen: Seen, before next: LinkedRecord?) {
        let sequence = seen.record.link.sequence
        if sequence == expected {
            follow(seen)
        } else if let next, next.link.sequence == expected + 1, names(seen.record) {
            add(
                .edited, expected..<expected + 1, "record \(expected) carries the number \(sequence)", at: seen.place)
            (expected, hashes, lastPlace) = (expected + 1, nil, seen.place)
        } else if sequence > expected {
            if missing.count < Self.maximumKept { missing.append((expected..<sequence, seen.place)) }
            accept(seen)
        } else {
            outOfOrder(seen)
        }
    }

    private func names(_ record: LinkedRecord) -> Bool {
        hashes?.contains(record.link.previous) ?? true
    }

    /// The record with the number that comes next.
    private mutating func follow(_ seen: Seen) {
        if !names(seen.record) {
            if expected == 0 {
                add(.edited, 0..<1, "the first record names a previous one", at: seen.place)
            } else {
                add(
                    .edited, expected - 1..<expected,
                    "record \(expected - 1) is not the one that record \(expected) names as its previous",
                    at: lastPlace ?? seen.place)
            }
        }
        accept(seen)
    }

    private mutating func accept(_ seen: Seen) {
        let sequence = seen.record.link.sequence
        meet(seen.record)
        (expected, hashes, lastPlace) = (sequence + 1, [seen.record.hash], seen.place)
    }

    private mutating func meet(_ record: LinkedRecord) {
        let head = AuditHead(sequence: record.link.sequence, hash: record.hash)
        if expectedHeads.contains(head) { metHeads.insert(head) }
    }

    /// A record whose number has passed.
    private mutating func outOfOrder(_ seen: Seen) {
        let sequence = seen.record.link.sequence
        if let index = missing.firstIndex(where: { $0.range.contains(sequence) }) {
            let gap = missing.remove(at: index)
            let rest = [gap.range.lowerBound..<sequence, sequence + 1..<gap.range.upperBound]
            missing += rest.filter { !$0.isEmpty }.map { ($0, gap.place) }
            add(
                .reordered, sequence..<sequence + 1, "record \(sequence) stands after record \(expected - 1)",
                at: seen.place)
            meet(seen.record)
        } else {
            add(.inserted, sequence..<sequence + 1, "a second record has the number \(sequence)", at: seen.place)
            // Either of the two may be the one that was appended.
            if sequence + 1 == expected { hashes?.append(seen.record.hash) }
        }
    }

    private mutating func add(
        _ kind: AuditFinding.Kind, _ sequences: Range<UInt64>?, _ message: String, at place: AuditPlace
    ) {
        guard found.count < Self.maximumKept else {
            uncounted += 1
            return
        }
        let finding = AuditFinding(
            kind: kind, segment: place.segment, line: place.line, offset: place.offset, sequences: sequences,
            message: message)
        // Two signs of one change are told once: not canonical, and not what the next record names.
        if kind == .edited, sequences != nil,
            found.contains(where: { $0.finding.sequences == sequences && $0.finding.kind == kind })
        {
            return
        }
        found.append((place, finding))
    }

    private static func text(_ range: Range<UInt64>) -> String {
        range.count == 1 ? "\(range.lowerBound)" : "\(range.lowerBound) to \(range.upperBound - 1)"
    }
}
