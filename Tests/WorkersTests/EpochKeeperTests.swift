import Metadata
import Primitives
import Testing
import TidegateTesting
import Workers

@Suite struct EpochKeeperTests {
    private let index = MemoryIndex()
    private let environment = SimulatedEnvironment()

    private func begin(_ node: String, endsOthers: Bool = true) async throws -> WriterSession {
        try await EpochKeeper(index: index, environment: environment, node: node).begin(endsOthers: endsOthers)
    }

    private func put(_ key: Key) async throws {
        let id = TransactionID(epoch: .max, counter: environment.random())
        _ = try await index.commit(Transaction(id: id, mutations: [.put(key, [])]))
    }

    @Test func theFirstSessionMakesADeploymentAndTwoEpochs() async throws {
        let session = try await begin("a")
        #expect(session.gateway == 1)
        #expect(session.workers == 2)
        #expect(session.ended == [])
        let rows = try await index.values(of: [Keys.epoch(1), Keys.epoch(2), Keys.deployment])
        let epoch = try EpochRecord(encoded: try #require(rows[0]).value)
        #expect(epoch == EpochRecord(node: "a", started: environment.now(), nonce: epoch.nonce))
        #expect(rows[1] != nil)
        #expect(try DeploymentRecord(encoded: try #require(rows[2]).value) == session.deployment)
    }

    @Test func aLaterSessionEndsTheEarlierOneAndKeepsTheDeployment() async throws {
        let first = try await begin("a")
        let second = try await begin("b")
        #expect(second.deployment == first.deployment)
        #expect([second.gateway, second.workers] == [3, 4])
        #expect(second.ended == [1, 2])
        let late = WorkerCommits(index: index, epoch: first.workers)
        let error = await #expect(throws: WorkerError.self) { try await late.commit([], [.put([1], [])]) }
        guard case .fenced = error else { throw try #require(error) }
        #expect(try await index.values(of: [[1]]) == [nil])
        _ = try await WorkerCommits(index: index, epoch: second.workers).commit([], [.put([1], [])])
    }

    @Test func othersLiveOnWhereTheIndexIsShared() async throws {
        let first = try await begin("a", endsOthers: false)
        let second = try await begin("b", endsOthers: false)
        #expect(second.ended == [])
        _ = try await WorkerCommits(index: index, epoch: first.workers).commit([], [.put([1], [])])
    }

    @Test(arguments: ["outbox", "blob", "trash", "damaged", "epoch", "floor"])
    func noEpochIsDrawnTwiceWhateverIsLeft(of kind: String) async throws {
        let name = BlobName(epoch: 900, counter: 1, random: 1)
        switch kind {
        case "outbox": try await put(Keys.outbox(epoch: 900, counter: 3))
        case "blob": try await put(Keys.blob(name))
        case "trash": try await put(Keys.trash(name))
        case "damaged": try await put(Keys.damaged(name))
        case "epoch": try await put(Keys.epoch(900))
        default: break
        }
        let keeper = EpochKeeper(index: index, environment: environment, node: "a")
        let session = try await keeper.begin(above: kind == "floor" ? 900 : 0)
        #expect(session.gateway == 901)
        #expect(try await keeper.begin().gateway == 903)
    }

    @Test func concurrentProcessesDrawDifferentEpochs() async throws {
        try await withThrowingTaskGroup(of: WriterSession.self) { group in
            for number in 0..<8 { group.addTask { try await begin("\(number)", endsOthers: false) } }
            var epochs: Set<UInt32> = []
            for try await session in group { epochs.formUnion([session.gateway, session.workers]) }
            #expect(epochs.count == 16)
        }
    }

    @Test func anIndexOfAnotherDeploymentIsRefused() async throws {
        let keeper = EpochKeeper(index: index, environment: environment, node: "a")
        let session = try await keeper.begin(deployment: [UInt8](repeating: 1, count: 16))
        #expect(session.deployment.id == [UInt8](repeating: 1, count: 16))
        let error = await #expect(throws: WorkerError.self) {
            try await keeper.begin(deployment: [UInt8](repeating: 2, count: 16))
        }
        guard case .refused = error else { throw try #require(error) }
        #expect(try await index.values(of: [Keys.epoch(session.gateway)])[0] != nil)
    }
}
