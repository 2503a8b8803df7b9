import Audit
import AuditLog
import Primitives
import Testing
import TidegateTesting

@Suite("The file log", .serialized)
struct FileAuditLogTests {
    private let directory: TemporaryDirectory
    private let environment = SimulatedEnvironment()

    init() throws {
        directory = try TemporaryDirectory()
    }

    private func options(segmentBytes: Int64 = 64 << 20) -> AuditLogOptions {
        AuditLogOptions(
            directory: directory.path, node: "gate-1", epoch: 1, region: "us-east-1", segmentBytes: segmentBytes,
            reserveBytes: 1 << 16, syncIntervalMilliseconds: 20, markIntervalMilliseconds: 20)
    }

    private func open(segmentBytes: Int64 = 64 << 20) throws -> FileAuditLog {
        try FileAuditLog(options(segmentBytes: segmentBytes), environment: environment)
    }

    /// Opens the log again once its last holder has let go of it.
    private func reopen(segmentBytes: Int64 = 64 << 20) async throws -> FileAuditLog {
        for _ in 0..<100_000 {
            do {
                return try open(segmentBytes: segmentBytes)
            } catch AuditError.unavailable(let message) where message.contains("another process") {
                await Task.yield()
            }
        }
        return try open(segmentBytes: segmentBytes)
    }

    private func names() throws -> [String] {
        try directory.lines().compactMap { LinkedRecord(line: $0)?.eventName }
    }

    private func verify(expecting head: AuditHead? = nil) throws -> AuditVerification {
        try AuditVerifier(directory: directory.path, expectedHead: head).verify()
    }

    @Test("chains records from its start to its clean stop", arguments: AuditDurability.allCases)
    func chain(_ durability: AuditDurability) async throws {
        let log = try open()
        for number in 0..<20 {
            let index = try await log.append(Samples.record(number), durability: durability)
            #expect(index.sequence == UInt64(number) + 1)
            // Written when it returns, whatever the durability.
            #expect(try directory.lines().count == number + 2)
        }
        try await log.stop()
        let verification = try verify(expecting: log.head)
        #expect(verification.findings == [])
        #expect(verification.records == 22)
        #expect(verification.head == log.head)
        #expect(verification.uncleanRestarts == 0)
        let all = try names()
        #expect(all.first == "AuditLogStarted")
        #expect(all.last == "AuditLogStopped")
        await #expect(throws: AuditError.self) { try await log.append(Samples.record(), durability: .strict) }
        #expect(!log.acceptsMutations)
    }

    @Test("keeps its files from other users")
    func permissions() async throws {
        let log = try open()
        for name in try directory.names() { #expect(try directory.permissions(name) == 0o600) }
        try await log.stop()
    }

    @Test("syncs bounded records within its interval")
    func boundedSync() async throws {
        let log = try open()
        let index = try await log.append(Samples.record(), durability: .bounded)
        var polls = 0
        while log.head?.sequence != index.sequence, polls < 10_000_000 {
            polls += 1
            await Task.yield()
        }
        #expect(log.head?.sequence == index.sequence)
        try await log.stop()
    }

    @Test("goes on after a clean stop, and says so after an unclean one")
    func restarts() async throws {
        let first = try open()
        _ = try await first.append(Samples.record(1), durability: .strict)
        try await first.stop()
        do {
            let second = try await reopen()
            _ = try await second.append(Samples.record(2), durability: .strict)
        }
        let third = try await reopen()
        try await third.stop()
        #expect(
            try names() == [
                "AuditLogStarted", "PutObject", "AuditLogStopped", "AuditLogStarted", "PutObject",
                "AuditLogRestartedUncleanly", "AuditLogStopped",
            ])
        let verification = try verify()
        #expect(verification.isIntact)
        #expect(verification.uncleanRestarts == 1)
    }

    @Test("cuts a torn record off at every byte of it, and keeps what it cut")
    func tornTail() async throws {
        do {
            let log = try open()
            for number in 0..<3 { _ = try await log.append(Samples.record(number), durability: .strict) }
        }
        let name = try #require(try directory.names("audit-").first)
        let whole = try directory.read(name)
        let lines = try directory.lines()
        // The log that was let go of sets its mark once more.
        let last = AuditHead(sequence: 3, hash: RecordHash.of(lines[3]))
        for _ in 0..<1_000_000 {
            guard try directory.read("mark") != Array("\(last)\n".utf8) else { break }
            await Task.yield()
        }
        let lastLength = try #require(lines.last).count + 1
        for kept in stride(from: 0, to: lastLength, by: 97) {
            for torn in try directory.names("torn-") { try directory.remove(torn) }
            try directory.write(Array(whole.dropLast(lastLength - kept)), name)
            // The last record was not synced yet.
            try directory.mark(lines[2], 2)
            let log = try await reopen()
            try await log.stop()
            let after = try directory.lines()
            #expect(after.count == 5)
            #expect(Array(after.prefix(3)) == Array(lines.prefix(3)))
            #expect(try verify().isIntact)
            #expect(try names().suffix(2) == ["AuditLogRestartedUncleanly", "AuditLogStopped"])
            let torn = try directory.names("torn-")
            #expect(torn.count == (kept == 0 ? 0 : 1))
            if let torn = torn.first {
                #expect(try directory.read(torn) == Array(try #require(lines.last).prefix(kept)))
                #expect(log.cut?.file == torn)
                #expect(log.cut?.bytes == Int64(kept))
                #expect(log.cut?.sequence == 3)
            } else {
                #expect(log.cut == nil)
            }
            #expect(try verify().tornEnds == torn.count)
        }
    }

    @Test("does not take damage before a clean stop for a crash")
    func damageIsNoCrash() async throws {
        let log = try open()
        for number in 0..<3 { _ = try await log.append(Samples.record(number), durability: .strict) }
        try await log.stop()
        let name = try #require(try directory.names("audit-").first)
        var bytes = try directory.read(name)
        let second = try #require(bytes.firstIndex(of: UInt8(ascii: "\n"))) + 20
        bytes[second] ^= 1
        try directory.write(bytes, name)
        await #expect(throws: AuditError.self) { try await reopen() }
        #expect(try directory.read(name) == bytes)
    }

    @Test("begins a new segment when one is full, and finds its way back through them")
    func rotation() async throws {
        let log = try open(segmentBytes: 4096)
        for number in 0..<40 { _ = try await log.append(Samples.record(number), durability: .bounded) }
        try await log.stop()
        let segments = try directory.names("audit-")
        #expect(segments.count > 5)
        for segment in segments { #expect(try directory.read(segment).count <= 4096) }
        #expect(try verify().findings == [])
        let again = try await reopen(segmentBytes: 4096)
        for number in 40..<80 { _ = try await again.append(Samples.record(number), durability: .bounded) }
        try await again.stop()
        let verification = try verify(expecting: again.head)
        #expect(verification.findings == [])
        #expect(verification.records == 84)
    }

    @Test("takes a batch that comes twice once, after a restart too")
    func deduplication() async throws {
        let batch = (0..<5).map { Samples.record($0) }
        let indices: [AuditIndex]
        do {
            let log = try open()
            indices = try await log.append(contentsOf: batch)
            #expect(indices.map(\.sequence) == [1, 2, 3, 4, 5])
            #expect(try await log.append(contentsOf: batch) == indices)
            let mixed = try await log.append(contentsOf: [batch[4], Samples.record(5), batch[0]])
            #expect(mixed.map(\.sequence) == [5, 6, 1])
        }
        let log = try await reopen()
        #expect(try await log.append(contentsOf: batch) == indices)
        #expect(try await log.append(contentsOf: [Samples.record(6)]).map(\.sequence) == [8])
        try await log.stop()
        #expect(try verify().records == 10)
        #expect(try verify().isIntact)
    }

    @Test("refuses a batch over its bound")
    func batchBound() async throws {
        let log = try open()
        let batch = Array(repeating: Samples.record(), count: AuditBatch.maximumCount + 1)
        await #expect(throws: AuditError.tooLarge(batch.count)) { try await log.append(contentsOf: batch) }
        #expect(try await log.append(contentsOf: []) == [])
        try await log.stop()
    }

    @Test("belongs to one process at a time")
    func exclusive() async throws {
        let log = try open()
        #expect(throws: AuditError.self) { try open() }
        try await log.stop()
    }

    @Test("gives concurrent callers distinct places in an unbroken chain")
    func concurrency() async throws {
        let log = try open(segmentBytes: 100_000)
        let sequences = try await withThrowingTaskGroup(of: [UInt64].self) { group in
            for task in 0..<16 {
                group.addTask {
                    var sequences: [UInt64] = []
                    for number in 0..<50 {
                        let durability: AuditDurability = number % 2 == 0 ? .bounded : .strict
                        let record = Samples.record(task * 1000 + number)
                        sequences.append(try await log.append(record, durability: durability).sequence)
                    }
                    return sequences
                }
            }
            var all: [UInt64] = []
            for try await sequences in group { all += sequences }
            return all
        }
        try await log.stop()
        #expect(sequences.sorted() == Array(1...800))
        #expect(try verify(expecting: log.head).findings == [])
    }

    @Test("refuses everything once a write has failed")
    func failure() async throws {
        let log = try open(segmentBytes: 2048)
        _ = try await log.append(Samples.record(), durability: .strict)
        #expect(log.acceptsMutations)
        // The next segment cannot be made, since its name is taken by a directory.
        for number in 2..<12 {
            try directory.block("audit-" + String(repeating: "0", count: number < 10 ? 19 : 18) + "\(number).jsonl")
        }
        var failed = false
        for number in 0..<10 where !failed {
            do {
                _ = try await log.append(Samples.record(number), durability: .bounded)
            } catch {
                failed = true
            }
        }
        #expect(failed)
        #expect(!log.acceptsMutations)
        await #expect(throws: AuditError.self) { try await log.append(Samples.record(), durability: .strict) }
        await #expect(throws: AuditError.self) { try await log.append(contentsOf: [Samples.record()]) }
        await #expect(throws: AuditError.self) { try await log.stop() }
    }
}
