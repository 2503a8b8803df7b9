import Audit
import AuditLog
import Primitives
import Testing
import TidegateTesting

@Suite("The verifier")
struct AuditVerifierTests {
    private let directory: TemporaryDirectory
    private let lines: [[UInt8]]
    private let name: String
    private let head: AuditHead

    init() async throws {
        directory = try TemporaryDirectory()
        let options = AuditLogOptions(directory: directory.path, node: "n", epoch: 1, region: "r", reserveBytes: 4096)
        let log = try FileAuditLog(options, environment: SimulatedEnvironment())
        for number in 0..<6 { _ = try await log.append(Samples.record(number), durability: .strict) }
        try await log.stop()
        lines = try directory.lines()
        name = try #require(try directory.names("audit-").first)
        head = try #require(log.head)
        // As if everything beside the segments had been changed with them.
        try directory.remove("mark")
    }

    private func verify(_ lines: [[UInt8]], expectingHead: Bool = false) throws -> [AuditFinding] {
        try directory.write(lines.flatMap { $0 + [UInt8(ascii: "\n")] }, name)
        return try AuditVerifier(directory: directory.path, expectedHead: expectingHead ? head : nil).verify().findings
    }

    /// A record that is right in itself and names the right previous one.
    private func forged(_ sequence: Int, after previous: [UInt8], number: Int = 99) throws -> [UInt8] {
        let link = ChainLink(sequence: UInt64(sequence), node: "n", epoch: 1, previous: RecordHash.of(previous))
        return try LinkableRecord(Samples.record(number)).linked(link)
    }

    @Test("finds nothing wrong with what was appended")
    func intact() throws {
        #expect(lines.count == 8)
        #expect(try verify(lines, expectingHead: true) == [])
        #expect(try AuditVerifier(directory: directory.path).verify().head == head)
    }

    @Test("finds every byte that was changed, and names the record", arguments: 0..<8)
    func editedBytes(_ position: Int) throws {
        // Every ninth byte, beginning elsewhere in each record, so that names, values, quotes and the link are all met.
        for offset in stride(from: position, to: lines[position].count, by: 9) {
            var changed = lines
            changed[position][offset] ^= 1
            // A line feed in the middle makes two lines of one.
            guard changed[position][offset] != UInt8(ascii: "\n") else { continue }
            let findings = try verify(changed, expectingHead: true)
            #expect(!findings.isEmpty, "byte \(offset) of record \(position)")
            #expect(
                findings.contains { $0.line == position + 1 || $0.line == position || $0.line == position + 2 },
                "byte \(offset) of record \(position): \(findings)")
        }
    }

    @Test("finds a record whose content was changed canonically", arguments: 0..<8)
    func editedContent(_ position: Int) throws {
        var object = try #require(try JSON.parse(lines[position]).objectValue)
        object["sourceIPAddress"] = "198.51.100.7"
        var changed = lines
        changed[position] = JSON.object(object).canonical
        let findings = try verify(changed, expectingHead: true)
        #expect(findings.map(\.kind) == [.edited])
        if position < 7 {
            #expect(findings.first?.line == position + 1)
            #expect(findings.first?.sequences == UInt64(position)..<UInt64(position + 1))
        }
    }

    @Test("finds a record that is not canonical any more", arguments: 0..<8)
    func notCanonical(_ position: Int) throws {
        var changed = lines
        changed[position].insert(
            UInt8(ascii: " "), at: try #require(changed[position].firstIndex(of: UInt8(ascii: "["))) + 1)
        let findings = try verify(changed)
        #expect(findings.map(\.kind) == [.edited])
        #expect(findings.first?.line == position + 1)
    }

    @Test("finds a record whose number was changed", arguments: 0..<7)
    func editedNumber(_ position: Int) throws {
        var object = try #require(try JSON.parse(lines[position]).objectValue)
        object["seq"] = 1_000_000
        var changed = lines
        changed[position] = JSON.object(object).canonical
        let findings = try verify(changed).filter { $0.kind != .misnamed }
        #expect(findings.map(\.kind) == [.edited])
        #expect(findings.first?.line == position + 1)
        #expect(findings.first?.sequences == UInt64(position)..<UInt64(position + 1))
    }

    @Test("finds deleted records", arguments: 0..<7, 1...3)
    func deleted(_ position: Int, _ count: Int) throws {
        guard position + count < 8 else { return }
        var changed = lines
        changed.removeSubrange(position..<position + count)
        let findings = try verify(changed).filter { $0.kind != .misnamed }
        #expect(findings.map(\.kind) == [.deleted])
        #expect(findings.first?.sequences == UInt64(position)..<UInt64(position + count))
        #expect(findings.first?.line == position + 1)
    }

    @Test("finds a cut end when the head was noted", arguments: 0..<8)
    func truncated(_ kept: Int) throws {
        let findings = try verify(Array(lines.prefix(kept)), expectingHead: true)
        #expect(findings.map(\.kind) == [.truncated])
        if kept > 0 { #expect(findings.first?.sequences == UInt64(kept)..<8) }
        if kept > 0 { #expect(try verify(Array(lines.prefix(kept))) == []) }
    }

    @Test("finds an unfinished last line")
    func unfinished() throws {
        try directory.write(Array(try directory.read(name).dropLast(5)), name)
        let findings = try AuditVerifier(directory: directory.path).verify().findings
        #expect(findings.map(\.kind) == [.truncated])
        #expect(findings.first?.line == 8)
    }

    @Test("finds an inserted record, however well it is made", arguments: 1..<8)
    func inserted(_ position: Int) throws {
        var changed = lines
        changed.insert(try forged(position, after: lines[position - 1]), at: position)
        let findings = try verify(changed)
        #expect(findings.map(\.kind) == [.inserted])
        #expect(findings.first?.sequences == UInt64(position)..<UInt64(position + 1))
    }

    @Test("finds a copied record, and a line that is no record", arguments: 0..<8)
    func insertedOthers(_ position: Int) throws {
        var changed = lines
        changed.insert(lines[position], at: position + 1)
        #expect(try verify(changed).map(\.kind) == [.inserted])
        #expect(try verify(changed).first?.line == position + 2)
        changed[position + 1] = Array("{}".utf8)
        let findings = try verify(changed)
        if position < 7 {
            #expect(findings.map(\.kind) == [.inserted])
        } else {
            #expect(findings.map(\.kind) == [.edited])
        }
        #expect(findings.first?.line == position + 2)
    }

    @Test("finds records that changed places", arguments: 0..<7)
    func reordered(_ position: Int) throws {
        var changed = lines
        changed.swapAt(position, position + 1)
        let findings = try verify(changed, expectingHead: true).filter { $0.kind != .misnamed }
        #expect(findings.map(\.kind) == [.reordered])
        #expect(findings.first?.sequences == UInt64(position)..<UInt64(position + 1))
    }

    @Test("finds a log that was rewritten from some record on, when the head was noted", arguments: 1..<8)
    func rewritten(_ position: Int) throws {
        var changed = Array(lines.prefix(position))
        for sequence in position..<8 {
            changed.append(try forged(sequence, after: changed[sequence - 1], number: sequence))
        }
        #expect(try verify(changed) == [])
        let findings = try verify(changed, expectingHead: true)
        #expect(findings.map(\.kind) == [.edited])
        #expect(findings.first?.message.contains("rewritten") == true)
    }

    @Test("finds what was done to segments")
    func segments() async throws {
        let directory = try TemporaryDirectory()
        let options = AuditLogOptions(
            directory: directory.path, node: "n", epoch: 1, region: "r", segmentBytes: 3000, reserveBytes: 4096)
        let log = try FileAuditLog(options, environment: SimulatedEnvironment())
        for number in 0..<20 { _ = try await log.append(Samples.record(number), durability: .strict) }
        try await log.stop()
        try directory.remove("mark")
        let names = try directory.names("audit-")
        #expect(names.count > 4)
        let verifier = AuditVerifier(directory: directory.path, expectedHead: log.head)
        for (position, name) in names.enumerated() {
            let bytes = try directory.read(name)
            try directory.remove(name)
            let kinds = try verifier.verify().findings.map(\.kind)
            #expect(kinds == [position == names.count - 1 ? .truncated : .deleted])
            try directory.write(bytes, name)
        }
        let (second, third) = (try directory.read(names[1]), try directory.read(names[2]))
        try directory.write(third, names[1])
        try directory.write(second, names[2])
        let kinds = Set(try verifier.verify().findings.map(\.kind))
        #expect(kinds.contains(.misnamed) && kinds.contains(.reordered))
        try directory.write(second, names[1])
        try directory.write(third, names[2])
        #expect(try verifier.verify().isIntact)
    }

    @Test("says that an empty directory holds no log")
    func empty() throws {
        for name in try directory.names() { try directory.remove(name) }
        let findings = try AuditVerifier(directory: directory.path).verify().findings
        #expect(findings.map(\.kind) == [.truncated])
        #expect(throws: AuditError.self) { try AuditVerifier(directory: "/nonexistent/directory").verify() }
    }

    @Test("reads a log of noise in bounded time and findings")
    func noise() throws {
        var generator = SimulatedEnvironment(seed: 5).randomBytes(200_000)
        generator.append(UInt8(ascii: "\n"))
        try directory.write(generator, name)
        let verification = try AuditVerifier(directory: directory.path).verify()
        #expect(!verification.isIntact)
        #expect(verification.findings.count <= AuditVerifier.maximumFindings)
        let long = [UInt8](repeating: UInt8(ascii: "x"), count: 1_000_000) + [UInt8(ascii: "\n")]
        try directory.write(long, name)
        #expect(try AuditVerifier(directory: directory.path).verify().records == 1)
    }
}
