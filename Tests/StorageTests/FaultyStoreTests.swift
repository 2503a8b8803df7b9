import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite("Faulty stores")
struct FaultyStoreTests {
    private let memory = MemoryStore()
    private let environment = SimulatedEnvironment()
    private let name = BlobName(epoch: 1, counter: 2, random: 3)

    private func store(_ plan: FaultPlan = .none) -> FaultyStore {
        FaultyStore(memory, environment: environment, plan: plan)
    }

    @Test("fail the call that was named, and no other", arguments: 1...3)
    func nthCall(_ ordinal: Int) async throws {
        let store = store(.call(ordinal, .failBefore(.full)))
        for call in 1...3 {
            do throws(StorageError) {
                _ = try await store.write(BlobName(epoch: 1, counter: UInt64(call), random: 0), Body([1]))
                #expect(call != ordinal)
            } catch {
                #expect(call == ordinal)
            }
        }
        #expect(try await memory.blobs(after: nil, limit: 10).count == 2)
        #expect(store.calls == 3)
    }

    @Test("may fail after the work is done")
    func lostAnswer() async throws {
        let store = store(.every(.write, .failAfter(.unavailable("the answer was lost"))))
        await #expect(throws: StorageError.self) { _ = try await store.write(name, Body([1, 2, 3])) }
        #expect(try await store.bytes(of: name, range: 0..<3) == [1, 2, 3])
    }

    @Test("truncate and damage reads")
    func damagedReads() async throws {
        let store = store()
        _ = try await store.write(name, Body([0, 1, 2, 3, 4]))
        store.follow(.every(.read, .truncate(2)))
        #expect(try await store.bytes(of: name, range: 0..<5) == [0, 1])
        store.follow(.every(.read, .flipBit(at: 1)))
        #expect(try await store.bytes(of: name, range: 1..<5) == [1, 3, 3, 4])
        store.follow(.none)
        #expect(try await store.bytes(of: name, range: 0..<5) == [0, 1, 2, 3, 4])
    }

    @Test("wait in the environment's time")
    func delays() async throws {
        let store = store(.every(.list, .delay(.seconds(5))))
        let list = Task { try await store.blobs(after: nil, limit: 1).count }
        while environment.sleepers == 0 { await Task.yield() }
        environment.advance(by: .seconds(4))
        #expect(environment.sleepers == 1)
        environment.advance(by: .seconds(1))
        #expect(try await list.value == 0)
    }

    @Test("are unavailable until told otherwise")
    func unavailable() async throws {
        let store = store()
        store.isAvailable = false
        await #expect(throws: StorageError.self) { try await store.delete(name) }
        store.isAvailable = true
        try await store.delete(name)
    }

    @Test("are one thing, read-only stores another: those refuse changes alone")
    func readOnly() async throws {
        _ = try await memory.write(name, Body([7]))
        let store = ReadOnlyStore(memory)
        await #expect(throws: StorageError.self) { try await store.delete(name) }
        await #expect(throws: StorageError.self) { _ = try await store.write(name, Body([7])) }
        #expect(try await store.bytes(of: name, range: 0..<1) == [7])
        #expect(try await store.blobs(after: nil, limit: 1).map(\.length) == [1])
    }
}

@Suite("Memory stores")
struct MemoryStoreTests {
    @Test("are full beyond their capacity, and have room again after a deletion")
    func capacity() async throws {
        let store = MemoryStore(capacity: 10)
        let names = (0..<2).map { BlobName(epoch: 1, counter: $0, random: 0) }
        _ = try await store.write(names[0], Body([UInt8](repeating: 1, count: 8)))
        await #expect(throws: StorageError.self) {
            _ = try await store.write(names[1], Body([UInt8](repeating: 1, count: 3)))
        }
        try await store.delete(names[0])
        _ = try await store.write(names[1], Body([UInt8](repeating: 1, count: 3)))
        #expect(store.usedBytes == 3)
    }

    @Test("refuse other bytes under a name that is taken")
    func otherBytes() async throws {
        let store = MemoryStore()
        let name = BlobName(epoch: 1, counter: 1, random: 0)
        _ = try await store.write(name, Body([1]))
        await #expect(throws: StorageError.self) { _ = try await store.write(name, Body([2])) }
        #expect(try await store.bytes(of: name, range: 0..<1) == [1])
    }
}
