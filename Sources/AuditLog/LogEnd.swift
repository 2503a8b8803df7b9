import Audit

/// Where a log ends, and how it came to end there.
struct LogEnd {
    /// The number that the next record gets.
    var nextSequence: UInt64 = 0
    /// The hash of the last record.
    var hash = ChainLink.origin
    /// The segment to go on in; nil where a new one is to be begun.
    var segment: SegmentName?
    /// Whether the last run ended with its record of a clean stop, or there was no run.
    var wasClean = true
    /// The unfinished end that was cut off, if any.
    var cut: AuditCut?
    /// What is wrong with the log and was accepted, as a sentence each.
    var losses: [String] = []
    /// The last records that came through the outbox, the oldest first.
    var recent: [(eventID: String, sequence: UInt64)] = []
}

/// An unfinished end of a log that was cut off when it was opened.
package struct AuditCut: Sendable, Hashable {
    package var bytes: Int64
    /// The file beside the segments that keeps what was cut.
    package var file: String
    /// The SHA-256 of its bytes.
    package var sha256: [UInt8]
    /// The number of the record that would have been the next one.
    package var sequence: UInt64
}
