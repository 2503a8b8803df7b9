import Erasure
import NIOCore
import Pools
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite("A pool whose parity is raised")
struct RaisedParityTests {
    @Test("cuts new blobs with more parity, reads the old ones, and never goes below what is configured")
    func raised() async throws {
        let harness = try PoolHarness(stores: 8)
        var generator = SeededGenerator(seed: 12)
        let bytes = generator.bytes(20_000)
        let before = try await harness.store(bytes, &generator)
        harness.pool.parityOfNew = 3
        let after = try await harness.store(bytes, &generator)
        let packed = try await Packer(harness.pool) { BlobName(epoch: 1, counter: 1, random: 1) }.pack(
            ByteBuffer(bytes: [1, 2, 3]), group: PackGroup([1]), recovery: [])
        harness.pool.parityOfNew = 1
        let last = try await harness.store(bytes, &generator)
        #expect([before, after, last].map(\.geometry.parityShards) == [2, 3, 2])
        #expect(packed.locator.geometry.dataShards == 1 && packed.locator.geometry.parityShards == 3)
        #expect(harness.pool.parityOfNew == 2 && harness.pool.domainsOfNew == 8)
        // Any three stores may go.
        for gone in 0..<3 { harness.faulty[gone].isAvailable = false }
        #expect(try await harness.fetch(after) == bytes)
    }
}

@Suite struct PoolWriteTests {
    @Test func shardsLieOnDifferentStoresAndLoadSpreads() async throws {
        var generator = SeededGenerator(seed: 20)
        let harness = try PoolHarness(stores: 8)
        var held = [Int](repeating: 0, count: 8)
        for _ in 0..<200 {
            let locator = try await harness.store(generator.bytes(100), &generator)
            #expect(locator.exceptions.isEmpty)
            let shards = try await harness.shards().filter { $0.summary.name.whole == locator.name }
            #expect(Set(shards.map(\.store)).count == 6)
            for shard in shards { held[shard.store] += 1 }
            try await harness.pool.remove(locator)
        }
        #expect(held.allSatisfy { (110...190).contains($0) }, "\(held)")
    }

    @Test func aBodyThatFailsLeavesNothing() async throws {
        var generator = SeededGenerator(seed: 21)
        let harness = try PoolHarness()
        for length in [0, 1, 4096, 4097, 100_000] {
            let source = FailingSource(
                after: generator.buffers(of: generator.bytes(length), most: 5000),
                BodyError(.signatureMismatch, "The signature is wrong."))
            do {
                _ = try await harness.pool.store(
                    generator.blobName(), Body(length: Int64(length), source: source)
                ) { [] }
                Issue.record("a failing body was stored")
            } catch {
                guard case .source(let cause) = error, cause.kind == .signatureMismatch else { throw error }
            }
            #expect(try await harness.shards().isEmpty)
        }
    }

    @Test func theRecoveryRecordIsAskedForAfterTheBody() async throws {
        var generator = SeededGenerator(seed: 22)
        let harness = try PoolHarness()
        let locator = try await harness.pool.store(generator.blobName(), Body([1, 2, 3])) {
            [UInt8](repeating: 5, count: 64 << 10)
        }
        let located = try await harness.pool.locate(locator.name)
        #expect(located.recovery == [UInt8](repeating: 5, count: 64 << 10))
        #expect(located.locator == locator)
        await #expect(throws: StorageError.self) {
            _ = try await harness.pool.store(generator.blobName(), Body([1])) { [UInt8](repeating: 5, count: 65_537) }
        }
        #expect(try await harness.shards().count == 6)
    }

    /// With up to two stores gone, their shards lie beside siblings, never three on one store, until the stores are
    /// back and a repair spreads them; with three gone, nothing is left.
    @Test func everyPatternOfLostStoresIsWrittenAroundOrRefused() async throws {
        var generator = SeededGenerator(seed: 23)
        let harness = try PoolHarness()
        let bytes = generator.bytes(20_000)
        for mask in 0..<64 {
            for store in 0..<6 { harness.faulty[store].isAvailable = mask >> store & 1 == 0 }
            if mask.nonzeroBitCount <= 2 {
                let locator = try await harness.store(bytes, &generator)
                #expect(try await harness.fetch(locator) == bytes, "mask \(mask)")
                let shards = try await harness.shards()
                #expect(shards.count == 6)
                #expect(Set(shards.map { $0.summary.name.shard?.index }).count == 6)
                for store in 0..<6 { #expect(shards.count { $0.store == store } <= 2) }
                #expect(locator.exceptions.count == mask.nonzeroBitCount)
                for store in harness.faulty { store.isAvailable = true }
                let located = try await harness.pool.locate(locator.name)
                #expect(located.locator == locator)
                let states = try await harness.pool.verify(locator).map(\.state)
                #expect(states.count { $0 == .crowded } == mask.nonzeroBitCount)
                #expect(states.count { $0 == .sound } == 6 - mask.nonzeroBitCount)
                let report = try await harness.pool.repair(locator)
                #expect(report.isWhole)
                try await harness.pool.discard(report)
                #expect(try await harness.pool.verify(report.locator).allSatisfy { $0.state == .sound })
                #expect(try await Set(harness.shards().map(\.store)).count == 6)
                #expect(try await harness.fetch(report.locator) == bytes, "mask \(mask)")
                try await harness.pool.remove(report.locator)
            } else {
                do {
                    _ = try await harness.store(bytes, &generator)
                    Issue.record("mask \(mask) was written")
                } catch let error as StorageError {
                    guard case .quorum(_, needed: 4) = error else { throw error }
                }
            }
            for store in harness.faulty { store.isAvailable = true }
            #expect(try await harness.shards().isEmpty, "mask \(mask)")
        }
    }

    @Test("What was acknowledged survives the loss of any one store", arguments: [(2, 2), (3, 2), (4, 2), (2, 1)])
    func anyOneStoreMayBeLost(_ shape: (data: Int, parity: Int)) async throws {
        var generator = SeededGenerator(seed: 29)
        let geometry = try Geometry(dataShards: shape.data, parityShards: shape.parity, cellSize: 1024)
        let harness = try PoolHarness(stores: geometry.shards, geometry: geometry)
        var (written, refused) = (0, 0)
        for _ in 0..<120 {
            let bytes = generator.bytes(3000)
            for store in harness.faulty {
                let failing = Int.random(in: 1...3, using: &generator)
                store.isAvailable = Int.random(in: 0..<4, using: &generator) > 0
                store.follow(Bool.random(using: &generator) ? .call(failing, .failBefore(.unavailable("x"))) : .none)
            }
            let locator = try? await harness.store(bytes, &generator)
            for store in harness.faulty {
                store.isAvailable = true
                store.follow(.none)
            }
            guard let locator else {
                refused += 1
                continue
            }
            written += 1
            for store in harness.faulty {
                store.isAvailable = false
                #expect(try await harness.fetch(locator) == bytes, "\(locator.exceptions)")
                store.isAvailable = true
            }
            try await harness.pool.remove(locator)
        }
        #expect(written > 10 && refused > 10, "\(written) written, \(refused) refused")
    }

    @Test func storesThatFailedLatelyAreAskedWhereTheOthersAreTooFew() async throws {
        var generator = SeededGenerator(seed: 30)
        let geometry = try Geometry(dataShards: 2, parityShards: 1, cellSize: 1024)
        let harness = try PoolHarness(
            stores: 3, geometry: geometry, environment: SimulatedEnvironment(),
            configure: { $0.suspicion = .seconds(10) })
        harness.faulty[1].isAvailable = false
        await #expect(throws: StorageError.self) { try await harness.store(generator.bytes(3000), &generator) }
        harness.faulty[1].isAvailable = true
        let bytes = generator.bytes(3000)
        #expect(try await harness.fetch(harness.store(bytes, &generator)) == bytes)
    }

    @Test func storesThatFailedLatelyArePassedOver() async throws {
        var generator = SeededGenerator(seed: 24)
        let environment = SimulatedEnvironment()
        let harness = try PoolHarness(stores: 7, environment: environment, configure: { $0.suspicion = .seconds(10) })
        harness.faulty[3].isAvailable = false
        for _ in 0..<20 {
            let bytes = generator.bytes(5000)
            let locator = try await harness.store(bytes, &generator)
            #expect(try await harness.fetch(locator) == bytes)
            #expect(locator.exceptions.allSatisfy { $0.store != 3 && $0.store != nil })
        }
        #expect(harness.faulty[3].calls <= 2)
        harness.faulty[3].isAvailable = true
        environment.advance(by: .seconds(1000))
        for _ in 0..<20 {
            let locator = try await harness.store(generator.bytes(5000), &generator)
            #expect(locator.exceptions.isEmpty)
        }
        #expect(harness.faulty[3].calls > 3)
    }

    @Test(arguments: [StoreFault.failBefore(.unavailable("x")), .failAfter(.unavailable("x")), .failBefore(.full)])
    func aStoreThatFailsAtItsNthCallHarmsNothing(_ fault: StoreFault) async throws {
        var generator = SeededGenerator(seed: 25)
        for store in 0..<6 {
            for ordinal in 1...4 {
                let harness = try PoolHarness()
                harness.faulty[store].follow(.call(ordinal, fault))
                let bytes = generator.bytes(20_000)
                let locator = try await harness.store(bytes, &generator)
                #expect(try await harness.fetch(locator) == bytes)
                #expect(try await harness.fetch(locator) == bytes)
                #expect(try await harness.pool.verify(locator).count { $0.state == .sound } >= 5)
                #expect(try await harness.pool.repair(locator).isWhole)
            }
        }
    }

    @Test func fullStoresAreNamed() async throws {
        var generator = SeededGenerator(seed: 26)
        let harness = try PoolHarness()
        for store in harness.faulty { store.follow(.every(.write, .failBefore(.full))) }
        do {
            _ = try await harness.store(generator.bytes(100), &generator)
            Issue.record("full stores took a blob")
        } catch let error as StorageError {
            guard case .full = error else { throw error }
        }
    }

    /// What keeps a write from its quorum is said: full stores, where with them there would be enough of them.
    @Test(arguments: [(full: 2, away: 0, isFull: true), (1, 1, true), (2, 2, true), (1, 2, true), (1, 3, false)])
    func tooFewStoresAreNamedByWhatTheyLack(_ lack: (full: Int, away: Int, isFull: Bool)) async throws {
        var generator = SeededGenerator(seed: 27)
        let harness = try PoolHarness()
        for (number, store) in harness.faulty.enumerated() {
            if number < lack.full { store.follow(.every(.write, .failBefore(.full))) }
            if number >= 6 - lack.away { store.isAvailable = false }
        }
        do {
            _ = try await harness.store(generator.bytes(100_000), &generator)
            #expect(lack.full + lack.away <= 2, "too few stores took a blob")
        } catch let error as StorageError {
            let isFull = if case .full = error { true } else { false }
            #expect(isFull == lack.isFull, "\(error)")
        }
    }

    @Test func aHangingStoreDoesNotHangAWrite() async throws {
        var generator = SeededGenerator(seed: 27)
        var hanging: [HangingStore] = []
        let harness = try PoolHarness(
            wrap: { index, base in
                hanging.append(HangingStore(base))
                return hanging[index]
            },
            configure: { $0.shardDeadline = .milliseconds(1500) })
        hanging[2].hang([.write])
        hanging[5].hang([.write])
        let bytes = generator.bytes(100_000)
        let locator = try await harness.store(bytes, &generator)
        #expect(try await harness.fetch(locator) == bytes)
        #expect(Set(locator.exceptions.compactMap(\.store)).isDisjoint(with: [2, 5]))
        #expect(locator.exceptions.count == 2)
        // What a straggler writes after all does no harm, and is removed.
        for store in hanging { store.letGo() }
        #expect(try await harness.fetch(locator) == bytes)
        hanging[1].hang([.write])
        hanging[2].hang([.write])
        hanging[5].hang([.write])
        await #expect(throws: StorageError.self) { _ = try await harness.store(bytes, &generator) }
        for store in hanging { store.letGo() }
    }

    @Test func aCancelledWriteWaitsForNoStore() async throws {
        var generator = SeededGenerator(seed: 28)
        let harness = try PoolHarness()
        let (name, buffers) = (generator.blobName(), generator.buffers(of: generator.bytes(300_000), most: 9000))
        let writer = Task { [harness] in try await harness.pool.store(name, Body(buffers: buffers)) { [] } }
        writer.cancel()
        switch await writer.result {
        case .success(let locator): #expect(try await harness.fetch(locator).count == 300_000)
        case .failure: #expect(try await harness.shards().isEmpty)
        }
    }

    @Test func aPoolWithTooFewStoresIsRefused() throws {
        #expect(throws: StorageError.self) { try PoolHarness(stores: 2) }
        #expect(throws: StorageError.self) {
            try PoolHarness(configure: { $0.placements = [Placement(epoch: 0, stores: [0, 1, 2, 3, 4, 6])] })
        }
    }

    @Test func blobsOfEarlierPlacementsAreStillRead() async throws {
        var generator = SeededGenerator(seed: 29)
        let bytes = generator.bytes(10_000)
        let before = try PoolHarness(
            stores: 9,
            configure: {
                $0.placements = [Placement(epoch: 1, stores: [0, 1, 2, 3, 4, 5])]
            })
        let locator = try await before.store(bytes, &generator)
        let faulty = before.faulty
        let after = try PoolHarness(
            stores: 9, wrap: { index, _ in faulty[index] },
            configure: {
                $0.placements = [
                    Placement(epoch: 1, stores: [0, 1, 2, 3, 4, 5]), Placement(epoch: 2, stores: [3, 4, 5, 6, 7, 8]),
                ]
            })
        #expect(try await after.fetch(locator) == bytes)
        let newer = try await after.pool.store(generator.blobName(), Body(bytes)) { [] }
        #expect(newer.placementEpoch == 2)
        #expect(try await after.fetch(newer) == bytes)
        #expect(after.damage.all.isEmpty)
    }
}
