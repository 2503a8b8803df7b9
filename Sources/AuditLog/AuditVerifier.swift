package import Audit
import Primitives

/// Verifies a log offline: every record's canonical form, their numbers, their chain, the order of the segments and the
/// end, as far as the mark beside the segments has it, and what was cut off when the log was opened.
///
/// What it cannot know without `expectedHead` is that the newest records and the mark are gone, or that everything was
/// rewritten from some record on: note the head elsewhere.
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
        // Before the segments, since a gateway may be writing: the log is never behind its mark.
        let mark = try SyncedMark(in: directory).read()
        var heads: Set<AuditHead> = []
        if case .record(let head) = mark { heads.insert(head) }
        if let expectedHead { heads.insert(expectedHead) }
        var pass = Pass(chain: ChainChecker(expectedHeads: heads))
        if mark == .unreadable { pass.chain.unreadableMark(at: Self.place(of: SyncedMark.fileName)) }
        let segments = try directory.names().compactMap { SegmentName($0) }.sorted()
        pass.verification.segments = segments.count
        let total = try check(typesOf: segments, &pass)
        for (index, segment) in segments.enumerated() where !pass.foreign.contains(segment) {
            try read(segment, index, &pass) { verification in
                progress(
                    AuditVerificationProgress(
                        bytes: verification.bytes, totalBytes: total, records: verification.records))
            }
        }
        pass.chain.finish()
        // Listed after the segments: what a record names was there before the record.
        try pass.torn.check(in: directory, &pass.chain, &pass.verification)
        pass.verification.head = pass.chain.head
        (pass.verification.findings, pass.verification.furtherFindings) =
            pass.chain.findings(limit: Self.maximumFindings)
        return pass.verification
    }

    /// What a verification knows on its way.
    private struct Pass {
        var chain: ChainChecker
        var verification = AuditVerification()
        var torn = TornFiles()
        var foreign: Set<SegmentName> = []
    }

    /// A place in a file that is no segment.
    static func place(of file: String) -> AuditPlace {
        AuditPlace(segmentIndex: .max, segment: file, line: 1, offset: 0)
    }

    /// Finds what has a segment's name and cannot be one, and adds up the bytes of the others.
    private func check(typesOf segments: [SegmentName], _ pass: inout Pass) throws(PosixFailure) -> Int64 {
        var total: Int64 = 0
        for (index, segment) in segments.enumerated() {
            do throws(PosixFailure) {
                total += try PosixFile(directory.file("\(segment)"), .reading).size()
            } catch  where error.isNoRegularFile {
                pass.foreign.insert(segment)
                pass.chain.foreign(at: AuditPlace(segmentIndex: index, segment: "\(segment)", line: 1, offset: 0))
            }
        }
        return total
    }

    private func read(
        _ segment: SegmentName, _ index: Int, _ pass: inout Pass, _ progress: (AuditVerification) -> Void
    ) throws(PosixFailure) {
        let before = pass.verification.bytes
        var reader = try SegmentReader(path: directory.file("\(segment)"))
        var place = AuditPlace(segmentIndex: index, segment: "\(segment)", line: 0, offset: 0)
        while let line = try reader.next() {
            place.line += 1
            place.offset = line.offset
            check(line, at: place, of: segment, &pass)
            pass.verification.records += 1
            pass.verification.bytes = before + line.end
            if pass.verification.records % Self.progressStep == 0 { progress(pass.verification) }
        }
    }

    private func check(
        _ line: SegmentReader.Line, at place: AuditPlace, of segment: SegmentName, _ pass: inout Pass
    ) {
        guard line.isTerminated else { return pass.chain.unfinished(at: place) }
        guard !line.isTooLong, let record = LinkedRecord(line: line.bytes) else {
            return pass.chain.unreadable("the line is no record", at: place)
        }
        if place.line == 1, record.link.sequence != segment.firstSequence {
            pass.chain.misnamed(record, at: place)
        }
        switch Result(catching: { () throws(JSONError) in try JSON.parse(line.bytes) }) {
        case .failure(let error): pass.chain.edited(record, "the record is no JSON (\(error))", at: place)
        case .success(let value):
            if value.canonical != line.bytes {
                pass.chain.edited(record, "the record is not canonical JSON", at: place)
            }
            if record.eventName.utf8.elementsEqual(LogRecovery.uncleanRestart.utf8) {
                pass.verification.uncleanRestarts += 1
                pass.torn.note(value, at: place)
            }
        }
        if record.eventName.utf8.elementsEqual(LogRecovery.acceptedLoss.utf8) {
            pass.chain.accepted(record, at: place)
        }
        pass.chain.check(record, at: place)
    }
}
