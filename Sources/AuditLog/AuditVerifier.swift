package import Audit
import Primitives

/// Verifies a log offline: every record's canonical form, their numbers, their chain, the order of the segments and the
/// end.
///
/// What it cannot know without `expectedHead` is that the newest records are gone, or that everything was rewritten
/// from some record on: note the head elsewhere.
package struct AuditVerifier: Sendable {
    /// Findings that are told one by one.
    package static let maximumFindings = 100
    /// Records after which progress is told.
    private static let progressStep: UInt64 = 8192

    private let directory: PosixDirectory
    private let expectedHead: AuditHead?

    package init(directory: String, expectedHead: AuditHead? = nil) {
        self.directory = PosixDirectory(directory)
        self.expectedHead = expectedHead
    }

    /// Reads the whole log once, in bounded memory. It may be run beside a gateway that appends.
    ///
    /// - Throws: `unavailable` where a file cannot be read; what is wrong with the log is a finding.
    package func verify(
        progress: (AuditVerificationProgress) -> Void = { _ in }
    ) throws(AuditError) -> AuditVerification {
        do throws(PosixFailure) {
            return try run(progress)
        } catch {
            throw .unavailable("\(error)")
        }
    }

    private func run(_ progress: (AuditVerificationProgress) -> Void) throws(PosixFailure) -> AuditVerification {
        let segments = try directory.names().compactMap { SegmentName($0) }.sorted()
        var total: Int64 = 0
        for segment in segments { total += try PosixFile(directory.file("\(segment)"), .reading).size() }
        var verification = AuditVerification()
        verification.segments = segments.count
        var chain = ChainChecker(expectedHead: expectedHead)
        for (index, segment) in segments.enumerated() {
            let before = verification.bytes
            var reader = try SegmentReader(path: directory.file("\(segment)"))
            var place = AuditPlace(segmentIndex: index, segment: "\(segment)", line: 0, offset: 0)
            while let line = try reader.next() {
                place.line += 1
                place.offset = line.offset
                check(line, at: place, of: segment, &chain, &verification)
                verification.records += 1
                verification.bytes = before + line.end
                if verification.records % Self.progressStep == 0 {
                    progress(
                        AuditVerificationProgress(
                            bytes: verification.bytes, totalBytes: total, records: verification.records))
                }
            }
        }
        chain.finish()
        verification.head = chain.head
        (verification.findings, verification.furtherFindings) = chain.findings(limit: Self.maximumFindings)
        return verification
    }

    private func check(
        _ line: SegmentReader.Line, at place: AuditPlace, of segment: SegmentName, _ chain: inout ChainChecker,
        _ verification: inout AuditVerification
    ) {
        guard line.isTerminated else { return chain.unfinished(at: place) }
        guard !line.isTooLong, let record = LinkedRecord(line: line.bytes) else {
            return chain.unreadable("the line is no record", at: place)
        }
        if place.line == 1, record.link.sequence != segment.firstSequence {
            chain.misnamed(record, at: place)
        }
        switch Result(catching: { () throws(JSONError) in try JSON.parse(line.bytes) }) {
        case .failure(let error): chain.edited(record, "the record is no JSON (\(error))", at: place)
        case .success(let value):
            if value.canonical != line.bytes { chain.edited(record, "the record is not canonical JSON", at: place) }
        }
        if record.eventName.utf8.elementsEqual(LogRecovery.uncleanRestart.utf8) { verification.uncleanRestarts += 1 }
        chain.check(record, at: place)
    }
}
