import Audit
import Metadata
import Primitives
import Testing
import TidegateTesting
import Workers

@Suite struct OutboxDrainerTests {
    private func drainer(_ harness: WorkerHarness) -> OutboxDrainer {
        OutboxDrainer(
            commits: harness.commits, session: harness.session, audit: harness.audit,
            environment: harness.environment, region: "us-east-1", node: "a",
            report: { [events = harness.events] in events.add($0) })
    }

    private static func record(_ id: String) -> AuditRecord {
        AuditRecord(
            .system("Test", id: id, at: Timestamp(seconds: 1_700_000_000), region: "us-east-1"))
    }

    private func put(_ ids: [String], _ harness: WorkerHarness, epoch: UInt32, from counter: UInt64 = 0) async throws {
        try await harness.commit(
            ids.enumerated().map { offset, id in
                let record = Self.record(id)
                return .put(
                    Keys.outbox(epoch: epoch, counter: counter + UInt64(offset)),
                    OutboxRecord(eventID: record.eventID, canonicalJSON: record.canonicalJSON).encoded)
            })
    }

    private func isEmpty(_ harness: WorkerHarness) async throws -> Bool {
        try await harness.index.scan(Scan(Keys.outbox, limit: 1)).rows.isEmpty
    }

    @Test func rowsGoIntoTheLogInOrderAndLeaveTheOutbox() async throws {
        let harness = try await WorkerHarness()
        let ids = (0..<2500).map { "id-\($0)" }
        try await put(ids, harness, epoch: harness.session.gateway)
        let drainer = drainer(harness)
        #expect(try await drainer.lag().rows == 2500)
        #expect(try await drainer.drainPass() == AuditBatch.maximumCount)
        #expect(harness.audit.records.count == AuditBatch.maximumCount)
        #expect(try await drainer.drainAll() == 2500 - AuditBatch.maximumCount)
        #expect(harness.audit.records.map(\.eventID) == ids)
        #expect(harness.audit.records[7] == Self.record("id-7"))
        #expect(try await isEmpty(harness))
        let lag = try await drainer.lag()
        #expect(lag.rows == 0 && lag.isExact && lag.age == .zero)
    }

    @Test func theIndexNotesHowFarTheLogGoesWhenRowsLeaveIt() async throws {
        let harness = try await WorkerHarness()
        let drainer = drainer(harness)
        #expect(try await harness.value(Keys.auditMark(node: "a")) == nil)
        for round in 1...3 {
            try await put(["id-\(round)"], harness, epoch: harness.session.gateway, from: UInt64(round))
            try await drainer.drainAll()
            let head = try #require(harness.audit.head)
            #expect(head.sequence == UInt64(round - 1))
            #expect(try await harness.value(Keys.auditMark(node: "a")) == Array(head.description.utf8))
        }
        // What is not in the log is not noted.
        try await put(["id-4"], harness, epoch: harness.session.gateway, from: 4)
        harness.audit.fail(with: "full")
        await #expect(throws: WorkerError.self) { try await drainer.drainAll() }
        #expect(try await harness.value(Keys.auditMark(node: "a")).map { $0.first } == UInt8(ascii: "2"))
    }

    @Test func rowsOfEndedEpochsAreDrainedAndThoseOfLiveOthersAreNot() async throws {
        let first = try await WorkerHarness()
        try await put(["old-gateway"], first, epoch: first.session.gateway)
        try await put(["old-worker"], first, epoch: first.session.workers)
        let second = try await first.restarted()
        let other = try await EpochKeeper(index: second.index, environment: second.environment, node: "c")
            .begin(endsOthers: false)
        try await put((0..<1200).map { "other-\($0)" }, second, epoch: other.gateway)
        try await put(["mine"], second, epoch: second.session.gateway)
        #expect(try await drainer(second).drainAll() == 3)
        #expect(second.audit.records.map(\.eventID) == ["old-gateway", "old-worker", "mine"])
        #expect(try await second.index.scan(Scan(Keys.outbox, limit: 5000)).rows.count == 1200)
    }

    @Test func nothingLeavesTheOutboxThatTheLogDidNotTake() async throws {
        let harness = try await WorkerHarness()
        try await put(["a", "b"], harness, epoch: harness.session.gateway)
        harness.audit.fail(with: "no space")
        let drainer = drainer(harness)
        for _ in 0..<3 {
            let error = await #expect(throws: WorkerError.self) { try await drainer.drainAll() }
            guard case .audit(.unavailable) = error else { throw try #require(error) }
        }
        #expect(try await harness.index.scan(Scan(Keys.outbox, limit: 10)).rows.count == 2)
        harness.audit.fail(with: nil)
        #expect(try await drainer.drainAll() == 2)
        #expect(harness.audit.records.map(\.eventID) == ["a", "b"])
    }

    @Test func aCrashBetweenTheLogAndTheRemovalRecordsNothingTwice() async throws {
        let harness = try await WorkerHarness()
        try await put(["a", "b", "c"], harness, epoch: harness.session.gateway)
        // The log took them, and the process died before the rows were removed.
        _ = try await harness.audit.append(contentsOf: ["a", "b"].map(Self.record))
        let next = try await harness.restarted()
        #expect(try await drainer(next).drainAll() == 3)
        #expect(next.audit.records.map(\.eventID) == ["a", "b", "c"])
        #expect(try await isEmpty(next))
    }

    @Test func aDrainerWhoseEpochEndedRemovesNothing() async throws {
        let harness = try await WorkerHarness()
        let old = drainer(harness)
        let next = try await harness.restarted()
        try await put(["a"], next, epoch: next.session.gateway)
        try await put(["b"], next, epoch: harness.session.gateway)
        let error = await #expect(throws: WorkerError.self) { try await old.drainAll() }
        guard case .fenced = error else { throw try #require(error) }
        #expect(try await next.index.scan(Scan(Keys.outbox, limit: 10)).rows.count == 2)
    }

    @Test func aRowThatTheLogDoesNotTakeHoldsUpNothing() async throws {
        let harness = try await WorkerHarness()
        let epoch = harness.session.gateway
        try await put(["a"], harness, epoch: epoch)
        try await harness.commit([
            .put(Keys.outbox(epoch: epoch, counter: 1), [0xFF, 0xFF]),
            .put(
                Keys.outbox(epoch: epoch, counter: 2),
                OutboxRecord(eventID: "bad", canonicalJSON: Array("{\"b\":1,".utf8)).encoded),
        ])
        try await put(["z"], harness, epoch: epoch, from: 3)
        #expect(try await drainer(harness).drainAll() == 4)
        let ids = harness.audit.records.map(\.eventID)
        #expect(ids.count == 4)
        #expect(ids.first == "a")
        #expect(ids.last == "z")
        #expect(ids[1...2].allSatisfy { $0.utf8.starts(with: "outbox-04".utf8) })
        #expect(String(decoding: harness.audit.records[1].canonicalJSON, as: UTF8.self).contains("ffff"))
        #expect(try await isEmpty(harness))
        let unreadable = harness.events.all.count { if case .unreadableOutboxRow = $0 { true } else { false } }
        #expect(unreadable >= 2)
    }

    @Test func concurrentDrainsKeepTheOrder() async throws {
        let harness = try await WorkerHarness()
        let ids = (0..<5000).map { "id-\($0)" }
        for start in stride(from: 0, to: 5000, by: 500) {
            try await put(
                Array(ids[start..<start + 500]), harness, epoch: harness.session.gateway, from: UInt64(start))
        }
        let drainer = drainer(harness)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 0..<4 { group.addTask { try await drainer.drainAll() } }
            try await group.waitForAll()
        }
        #expect(harness.audit.records.map(\.eventID) == ids)
    }

    @Test func aWakeDrainsAndAFailureIsTriedAgain() async throws {
        let harness = try await WorkerHarness()
        let drainer = drainer(harness)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await drainer.run() }
            try await put(["a"], harness, epoch: harness.session.gateway)
            drainer.wake()
            try await eventually("the first record is in the log") { harness.audit.records.count == 1 }
            harness.audit.fail(with: "away")
            try await put(["b"], harness, epoch: harness.session.gateway, from: 1)
            drainer.wake()
            try await eventually("failures are reported") { harness.events.failures.count >= 3 }
            #expect(try await drainer.lag().age > .zero)
            harness.audit.fail(with: nil)
            try await eventually("the second record is in the log") { harness.audit.records.count == 2 }
            try await eventually("the outbox is empty") { try await isEmpty(harness) }
            group.cancelAll()
        }
        #expect(harness.audit.records.map(\.eventID) == ["a", "b"])
    }

    @Test func retriesComeSlowerAndSlower() async throws {
        let harness = try await WorkerHarness()
        let drainer = drainer(harness)
        harness.audit.fail(with: "away")
        try await put(["a"], harness, epoch: harness.session.gateway)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await drainer.run() }
            while harness.events.failures.count < 12 { await Task.yield() }
            group.cancelAll()
        }
        let pauses = harness.events.all.compactMap { if case .failed(_, _, let pause) = $0 { pause } else { nil } }
        #expect(
            Array(pauses.prefix(4)) == [.milliseconds(100), .milliseconds(200), .milliseconds(400), .milliseconds(800)])
        #expect(pauses[11] == .seconds(30))
    }
}
