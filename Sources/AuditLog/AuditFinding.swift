package import Audit

/// Something that is wrong with a log, and where.
package struct AuditFinding: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// A record is not what it was when it was appended.
        case edited
        /// Records are missing between others, or before the first.
        case deleted
        /// A record stands there that was not appended there.
        case inserted
        /// A record stands at another place than where it was appended.
        case reordered
        /// The end is missing.
        case truncated
        /// A segment's name does not say what is in it.
        case misnamed
        /// Complete lines were cut off when the log was opened, or what was cut off is not kept as it was.
        case cut
        /// The log went on behind a loss that was accepted.
        case accepted
    }

    package var kind: Kind
    /// The segment's file name; empty where the log has no segment at all.
    package var segment: String
    /// The line in the segment, from 1.
    package var line: Int
    /// Where the line begins in the segment, in bytes.
    package var offset: Int64
    /// The numbers of the records it is about, where they are known.
    package var sequences: Range<UInt64>?
    /// A sentence.
    package var message: String

    package var description: String { "\(segment):\(line) (byte \(offset)): \(kind.rawValue): \(message)" }
}

/// What a verification came to.
package struct AuditVerification: Sendable, Hashable {
    /// Lines that were read.
    package var records: UInt64 = 0
    package var segments = 0
    package var bytes: Int64 = 0
    /// The last record: to be noted elsewhere, so that a later verification finds a truncation. Nil where there is
    /// none.
    package var head: AuditHead?
    /// What is wrong, in the order of the log; at most `AuditVerifier.maximumFindings`.
    package var findings: [AuditFinding] = []
    /// How many findings were left out.
    package var furtherFindings = 0
    /// Starts of the log that followed no clean stop: before each, records of `bounded` durability may be missing.
    package var uncleanRestarts = 0
    /// Ends that a crash left unfinished and a start cut off: the files beside the segments that keep them.
    package var tornEnds = 0

    package var isIntact: Bool { findings.isEmpty && furtherFindings == 0 }
}

/// How far a verification has come.
package struct AuditVerificationProgress: Sendable, Hashable {
    package var bytes: Int64
    package var totalBytes: Int64
    package var records: UInt64
}
