import Audit
import AuditLog
import Foundation
import Primitives
import Testing
import TidegateTesting

/// What no crash leaves is never cut off in silence.
@Suite("A damaged log", .serialized)
struct DamagedLogTests {
    private let directory: TemporaryDirectory
    private let environment = SimulatedEnvironment()
    private static let records = 12

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func open(
        segmentBytes: Int64 = 64 << 20, noted: AuditHead? = nil, acceptsLoss: Bool = false
    ) async throws -> FileAuditLog {
        let options = AuditLogOptions(
            directory: directory.path, node: "gate-1", epoch: 1, region: "us-east-1", segmentBytes: segmentBytes,
            reserveBytes: 1 << 16, syncIntervalMilliseconds: 20, markIntervalMilliseconds: 20)
        for _ in 0..<1_000_000 {
            if let log = try openUnlessHeld(options, noted, acceptsLoss) { return log }
            await Task.yield()
        }
        return try FileAuditLog(options, environment: environment)
    }

    /// Nil while its last holder has not let go of it yet.
    private func openUnlessHeld(
        _ options: AuditLogOptions, _ noted: AuditHead?, _ acceptsLoss: Bool
    ) throws -> FileAuditLog? {
        do {
            return try FileAuditLog(options, environment: environment, noted: noted, acceptsLoss: acceptsLoss)
        } catch AuditError.unavailable(let message) where message.contains("another process") {
            return nil
        }
    }

    /// A log whose process was killed: a start and then synced records, numbered from 1.
    private func killedLog(segmentBytes: Int64 = 64 << 20) async throws {
        let log = try await open(segmentBytes: segmentBytes)
        for number in 0..<Self.records { _ = try await log.append(Samples.record(number), durability: .strict) }
    }

    /// What is wrong with the log, when it is opened and refused.
    private func refusal(noted: AuditHead? = nil) async throws -> String {
        do {
            let log = try await open(noted: noted)
            try await log.stop()
            Issue.record("the log was opened")
            return ""
        } catch AuditError.damaged(let message) {
            return message
        }
    }

    private func verify() throws -> AuditVerification { try AuditVerifier(directory: directory.path).verify() }

    /// Changes one byte of a line, from 1, of the last segment.
    private func flip(line: Int) throws {
        let name = try #require(try directory.names("audit-").last)
        var lines = try directory.read(name).split(separator: UInt8(ascii: "\n")).map { Array($0) }
        lines[line - 1][lines[line - 1].count / 2] ^= 1
        try directory.write(lines.flatMap { $0 + [UInt8(ascii: "\n")] }, name)
    }

    /// Files and their bytes, but for the lock.
    private func contents() throws -> [String: [UInt8]] {
        var contents: [String: [UInt8]] = [:]
        for name in try directory.names() where name != "lock" { contents[name] = try directory.read(name) }
        return contents
    }

    /// Waits until a killed log has let go of its files, so that its mark is the last one.
    private func settle() async throws {
        try await killedLog()
        try await open().stop()
    }

    @Test("A changed byte of a synced record is no torn write, with a mark or without", arguments: [1, 2, 7, 12, 13])
    func changedByte(_ line: Int) async throws {
        for hasMark in [true, false] {
            for name in try directory.names() { try directory.remove(name) }
            try await killedLog()
            // Opened and killed again, so that the process before has let go of its mark.
            do { _ = try await open() }
            if !hasMark { try directory.remove("mark") }
            try flip(line: line)
            let before = try contents()
            let message = try await refusal()
            #expect(message.contains("damaged at line"), "\(message)")
            #expect(message.contains("accept-loss"))
            #expect(try contents() == before, "nothing is changed")
        }
    }

    @Test("A damaged last record is noticed by its mark")
    func changedEnd() async throws {
        try await settle()
        try flip(line: Self.records + 3)
        #expect(try await refusal().contains("was on the disk"))
        #expect(try verify().findings.contains { $0.kind == .truncated || $0.kind == .edited })
    }

    @Test("A log that was cut below its mark is refused, wherever", arguments: [0, 1, 6, 13])
    func truncated(_ kept: Int) async throws {
        try await settle()
        let name = try #require(try directory.names("audit-").first)
        let lines = try directory.lines()
        try directory.write(lines.prefix(kept).flatMap { $0 + [UInt8(ascii: "\n")] }, name)
        let end = kept == 0 ? "there are no records" : "the sound records end with \(kept - 1)"
        let message = try await refusal()
        #expect(message.contains("\(end), but record \(lines.count - 1) was on the disk"))
        // The verifier needs no note of the head for it.
        #expect(try verify().findings.map(\.kind) == [.truncated])
        try directory.remove(name)
        #expect(try await refusal().contains("there are no records"))
        // A half line at the end is no excuse.
        try directory.write(lines.prefix(3).flatMap { $0 + [UInt8(ascii: "\n")] } + lines[3].prefix(50), name)
        #expect(try await refusal().contains("the sound records end with 2"))
        #expect(try directory.names("torn-") == [])
    }

    @Test("A log that was rewritten is refused by its mark")
    func rewritten() async throws {
        try await settle()
        let name = try #require(try directory.names("audit-").first)
        var lines = try directory.lines()
        for sequence in 5..<lines.count {
            let link = ChainLink(
                sequence: UInt64(sequence), node: "gate-1", epoch: 1, previous: RecordHash.of(lines[sequence - 1]))
            lines[sequence] = try LinkableRecord(Samples.record(100 + sequence)).linked(link)
        }
        try directory.write(lines.flatMap { $0 + [UInt8(ascii: "\n")] }, name)
        #expect(try await refusal().contains("is not the one that was on the disk"))
        #expect(try verify().findings.map(\.kind) == [.edited])
    }

    @Test("A log that is gone with its mark is missed by what was noted elsewhere")
    func noted() async throws {
        try await settle()
        let head = try #require(try verify().head)
        let noted = AuditHead(sequence: 4, hash: RecordHash.of(try directory.lines()[4]))
        try await open(noted: noted).stop()
        let other = AuditHead(sequence: 4, hash: head.hash)
        #expect(try await refusal(noted: other).contains("record 4 is not the one that was on the disk"))
        for name in try directory.names() { try directory.remove(name) }
        let message = try await refusal(noted: head)
        #expect(message.contains("there are no records, but record \(head.sequence)"))
        let log = try await open(noted: head, acceptsLoss: true)
        try await log.stop()
        #expect(log.head?.sequence == head.sequence + 2)
        try await open(noted: head).stop()
    }

    @Test("A mark that names no record is refused; a log from before there were marks is not")
    func marks() async throws {
        try await settle()
        for nonsense in ["", "7", "7:00\n", String(repeating: "x", count: 1000)] {
            try directory.write(Array(nonsense.utf8), "mark")
            #expect(try await refusal().contains("`mark`"))
            #expect(try verify().findings.map(\.segment) == ["mark"])
        }
        try directory.remove("mark")
        try await open().stop()
        #expect(try directory.names("mark") == ["mark"])
        #expect(try verify().isIntact)
    }

    @Test("The mark follows the last synced record, and is never ahead of it")
    func markFollows() async throws {
        let log = try await open()
        for number in 0..<200 {
            let index = try await log.append(Samples.record(number), durability: .bounded)
            let mark = try #require(try mark())
            #expect(mark.sequence <= index.sequence)
            let head = try #require(log.head)
            #expect(mark.sequence <= head.sequence)
        }
        for _ in 0..<10_000_000 {
            guard try mark()?.sequence != 200 else { break }
            await Task.yield()
        }
        #expect(try mark()?.sequence == 200)
        #expect(try mark() == log.head)
        try await log.stop()
        #expect(try mark() == log.head)
    }

    private func mark() throws -> AuditHead? {
        AuditHead(String(decoding: try directory.read("mark").dropLast(), as: UTF8.self))
    }

    @Test(
        "A loss that is accepted is recorded, and everything that is there stays", arguments: [Int64(64 << 20), 3000])
    func accepted(_ segmentBytes: Int64) async throws {
        try await killedLog(segmentBytes: segmentBytes)
        do { _ = try await open(segmentBytes: segmentBytes) }
        let last = try #require(try directory.names("audit-").last)
        try flip(line: 1)
        let before = try contents()
        _ = try await refusal()
        let log = try await open(segmentBytes: segmentBytes, acceptsLoss: true)
        #expect(log.acceptedLosses.count >= 1)
        #expect(log.cut == nil)
        try await log.stop()
        let after = try contents()
        for (name, bytes) in before where name != "mark" { #expect(after[name] == bytes, "\(name)") }
        let verification = try verify()
        #expect(verification.findings.contains { $0.segment == last && $0.line <= 2 })
        #expect(verification.findings.contains { $0.kind == .accepted })
        #expect(!verification.findings.contains { [.inserted, .reordered, .deleted].contains($0.kind) })
        // From then on it is a log like any other.
        for number in 0..<3 {
            let again = try await open(segmentBytes: segmentBytes)
            #expect(again.acceptedLosses == [])
            for record in 0..<10 {
                _ = try await again.append(Samples.record(100 + 10 * number + record), durability: .strict)
            }
            if number > 0 { try await again.stop() }
        }
        #expect(try verify().findings == verification.findings)
        let names = try directory.lines().compactMap { LinkedRecord(line: $0)?.eventName }
        #expect(names.count { $0 == "AuditLogLossAccepted" } == 1)
    }

    @Test("A wiped log goes on behind its mark, once that is accepted")
    func acceptedWiping() async throws {
        try await settle()
        let head = try #require(try verify().head)
        for name in try directory.names("audit-") { try directory.remove(name) }
        let log = try await open(acceptsLoss: true)
        try await log.stop()
        #expect(log.head?.sequence == head.sequence + 2)
        let findings = try verify().findings
        #expect(Set(findings.map(\.kind)) == [.deleted, .accepted])
        #expect(findings.first { $0.kind == .deleted }?.sequences == 0..<head.sequence + 1)
        try await open().stop()
    }

    @Test("Accepting finds nothing to accept in a sound log")
    func nothingToAccept() async throws {
        try await settle()
        let log = try await open(acceptsLoss: true)
        #expect(log.acceptedLosses == [])
        try await log.stop()
        #expect(try verify().isIntact)
    }

    @Test("What was cut off is looked for and looked at")
    func tornFiles() async throws {
        try await killedLog()
        do { _ = try await open() }
        let name = try #require(try directory.names("audit-").first)
        let whole = try directory.read(name)
        try directory.write(whole + Array("{\"half".utf8), name)
        try await open().stop()
        let torn = try #require(try directory.names("torn-").first)
        let bytes = try directory.read(torn)
        #expect(try verify().isIntact)
        #expect(try verify().tornEnds == 1)

        try directory.remove(torn)
        #expect(try verify().findings.map(\.kind) == [.cut])
        #expect(try verify().findings.first?.message.contains("missing") == true)
        try directory.write(bytes + [0], torn)
        #expect(try verify().findings.first?.message.contains("bytes") == true)
        try directory.write(Array("[\"half".utf8), torn)
        #expect(try verify().findings.first?.message.contains("does not hold") == true)
        try directory.write(bytes, torn)
        #expect(try verify().isIntact)

        // A file that no record names may be left by a start that was killed; complete lines are not.
        try directory.write(Array("{\"half".utf8), "torn-5-7.bin")
        #expect(try verify().isIntact)
        try directory.write(whole, "torn-5-7.bin")
        let finding = try #require(try verify().findings.first)
        #expect(finding.kind == .cut && finding.segment == "torn-5-7.bin")
        #expect(finding.sequences == 0..<UInt64(Self.records + 2))
        try directory.write(Array("no record\nhalf".utf8), "torn-5-7.bin")
        #expect(try verify().findings.map(\.kind) == [.cut])
    }

    @Test("What a power cut leaves behind a hole is cut off, and comes again from the outbox", arguments: [0, 7, 300])
    func hole(_ within: Int) async throws {
        let batch = (20..<40).map { Samples.record($0) }
        let synced: Int
        do {
            let log = try await open()
            for number in 0..<Self.records { _ = try await log.append(Samples.record(number), durability: .strict) }
            synced = try directory.lines().count
            _ = try await log.append(contentsOf: batch)
        }
        let (name, lines) = (try #require(try directory.names("audit-").first), try directory.lines())
        // Until the process before has let go of its mark.
        for _ in 0..<1_000_000 {
            guard try mark()?.sequence != UInt64(lines.count - 1) else { break }
            await Task.yield()
        }
        try directory.mark(lines[synced - 1], UInt64(synced - 1))
        // A hole from some byte of the third record of the batch to within a later one.
        var bytes = try directory.read(name)
        let start = lines.prefix(synced + 2).reduce(0) { $0 + $1.count + 1 } + within
        for index in start..<start + 1024 { bytes[index] = 0 }
        try directory.write(bytes, name)
        let log = try await open()
        #expect(log.cut?.sequence == UInt64(synced + 2))
        let indices = try await log.append(contentsOf: batch)
        #expect(indices.prefix(2).map(\.sequence) == [UInt64(synced), UInt64(synced + 1)])
        #expect(indices.dropFirst(2).map(\.sequence) == (0..<18).map { UInt64(synced + 3 + $0) })
        try await log.stop()
        #expect(try verify().isIntact)
        #expect(try verify().tornEnds == 1)
        // Where the mark says that it had been on the disk, no power cut has made the hole.
        try directory.write(bytes, name)
        try directory.mark(lines[synced + 2], UInt64(synced + 2))
        #expect(try await refusal().contains("was on the disk"))
    }

    @Test("A complete line at the end that is no record is cut, and found by the verifier")
    func brokenLastLine() async throws {
        try await killedLog()
        do { _ = try await open() }
        let name = try #require(try directory.names("audit-").first)
        try directory.write(try directory.read(name) + Array("nonsense\n".utf8), name)
        let log = try await open()
        #expect(log.cut?.bytes == 9)
        try await log.stop()
        #expect(try verify().findings.map(\.kind) == [.cut])
    }

    @Test("What has a segment's name and is no regular file is a finding, and nobody waits for it")
    func foreignFiles() async throws {
        try await settle()
        let name = "audit-" + String(repeating: "0", count: 16) + "4711.jsonl"
        let path = "\(directory.path)/\(name)"
        for kind in ["pipe", "directory", "link"] {
            switch kind {
            case "pipe": try directory.makePipe(name)
            case "directory": try directory.block(name)
            default: try FileManager.default.createSymbolicLink(atPath: path, withDestinationPath: "/dev/zero")
            }
            let findings = try verify().findings
            #expect(findings.map(\.kind) == [.misnamed])
            #expect(findings.first?.segment.hasSuffix("4711.jsonl") == true)
            await #expect(throws: AuditError.self) { try await open() }
            try FileManager.default.removeItem(atPath: path)
        }
        try directory.remove("mark")
        try directory.makePipe("mark")
        #expect(try verify().findings.map(\.segment) == ["mark"])
    }
}
