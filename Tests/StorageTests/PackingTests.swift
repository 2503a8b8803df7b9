import Erasure
import NIOCore
import Pools
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

@Suite struct PackingTests {
    /// Draws names in order.
    private final class Names: Sendable {
        private let counter = Mutex<UInt64>(0)

        func next() -> BlobName {
            BlobName(
                epoch: 3,
                counter: counter.withLock {
                    $0 += 1
                    return $0
                }, random: 9)
        }
    }

    private func packer(_ harness: PoolHarness, _ change: (inout Packer.Limits) -> Void = { _ in }) throws -> Packer {
        var limits = Packer.Limits()
        change(&limits)
        let names = Names()
        return try Packer(harness.pool, limits: limits) { names.next() }
    }

    private func read(_ harness: PoolHarness, _ packed: PackedBlob, _ length: Int) async throws -> [UInt8] {
        try await harness.fetch(packed.locator, Int(packed.offset)..<Int(packed.offset) + length)
    }

    /// Packs objects side by side; the callers of those that fail get nil.
    private func packAll(
        _ packer: Packer, _ objects: [(bytes: [UInt8], group: UInt8)]
    ) async -> [PackedBlob?] {
        await withTaskGroup(of: (Int, PackedBlob?).self) { group in
            for (index, object) in objects.enumerated() {
                group.addTask {
                    do {
                        return (
                            index,
                            try await packer.pack(
                                ByteBuffer(bytes: object.bytes), group: PackGroup([object.group]),
                                recovery: [UInt8(truncatingIfNeeded: index), object.group])
                        )
                    } catch {
                        return (index, nil)
                    }
                }
            }
            var packed = [PackedBlob?](repeating: nil, count: objects.count)
            for await (index, blob) in group { packed[index] = blob }
            return packed
        }
    }

    @Test func aLoneObjectIsWrittenAsCopiesAtOnce() async throws {
        var generator = SeededGenerator(seed: 60)
        let harness = try PoolHarness()
        let packer = try packer(harness)
        for length in [0, 1, 4096, 128 << 10] {
            let bytes = generator.bytes(length)
            let packed = try await packer.pack(ByteBuffer(bytes: bytes), group: PackGroup([1]), recovery: [8])
            #expect(packed.offset == 0)
            #expect(packed.locator.length == Int64(length))
            #expect(try await read(harness, packed, length) == bytes)
            let shards = try await harness.shards().filter { $0.summary.name.whole == packed.locator.name }
            #expect(Set(shards.map(\.store)).count == 3)
            let record = PackRecord(decoding: try await harness.pool.locate(packed.locator.name).recovery)
            #expect(record?.entries == [PackRecord.Entry(offset: 0, length: Int64(length), recovery: [8])])
        }
        await #expect(throws: StorageError.self) {
            _ = try await packer.pack(
                ByteBuffer(repeating: 1, count: (128 << 10) + 1), group: PackGroup([1]), recovery: [])
        }
        await #expect(throws: StorageError.self) {
            _ = try await packer.pack(
                ByteBuffer(bytes: [1]), group: PackGroup([1]), recovery: [UInt8](repeating: 0, count: 64 << 10))
        }
    }

    @Test func objectsThatArriveTogetherShareBlobsButGroupsDoNot() async throws {
        var generator = SeededGenerator(seed: 61)
        var hanging: [HangingStore] = []
        let harness = try PoolHarness(wrap: { index, base in
            hanging.append(HangingStore(base))
            return hanging[index]
        })
        let packer = try packer(harness)
        let objects = (0..<200).map { index in
            (bytes: generator.bytes(.random(in: 0...9000, using: &generator)), group: UInt8(index % 2))
        }
        // The first packs wait for their stores, so that the rest must share.
        for store in hanging { store.hang([.write]) }
        async let all = packAll(packer, objects)
        try #require(await eventually { packer.waitingObjects >= 196 })
        for store in hanging { store.letGo() }
        let packed = await all
        var groups: [BlobName: Set<UInt8>] = [:]
        for (index, object) in objects.enumerated() {
            let blob = try #require(packed[index])
            #expect(try await read(harness, blob, object.bytes.count) == object.bytes)
            groups[blob.locator.name, default: []].insert(object.group)
            let record = try #require(
                PackRecord(decoding: try await harness.pool.locate(blob.locator.name).recovery))
            #expect(
                record.entries.contains {
                    $0.offset == blob.offset && $0.length == Int64(object.bytes.count)
                        && $0.recovery == [UInt8(truncatingIfNeeded: index), object.group]
                })
        }
        #expect(groups.values.allSatisfy { $0.count == 1 })
        #expect(groups.count == 6, "two lone objects and one pack a group")
    }

    @Test func packsKeepToTheirLimits() async throws {
        var generator = SeededGenerator(seed: 62)
        for (bytes, count) in [(10_000, 512), (1 << 20, 7)] {
            var hanging: [HangingStore] = []
            let harness = try PoolHarness(wrap: { index, base in
                hanging.append(HangingStore(base))
                return hanging[index]
            })
            let packer = try packer(harness) { limits in
                (limits.packBytes, limits.packObjects, limits.packsInFlight) = (bytes, count, 1)
            }
            let objects = (0..<50).map { _ in (bytes: generator.bytes(3000), group: UInt8(0)) }
            for store in hanging { store.hang([.write]) }
            async let all = packAll(packer, objects)
            try #require(await eventually { packer.waitingObjects >= 49 })
            for store in hanging { store.letGo() }
            let packed = await all.compactMap(\.self)
            #expect(packed.count == 50)
            let shared = Dictionary(grouping: packed, by: \.locator.name).values
            #expect(shared.allSatisfy { $0[0].locator.length <= Int64(bytes) && $0.count <= count })
            #expect(shared.count <= 20)
        }
    }

    @Test func aCallerThatGoesAwayHarmsNobody() async throws {
        var generator = SeededGenerator(seed: 63)
        var hanging: [HangingStore] = []
        let harness = try PoolHarness(wrap: { index, base in
            hanging.append(HangingStore(base))
            return hanging[index]
        })
        let packer = try packer(harness) { $0.packsInFlight = 1 }
        let objects = (0..<10).map { _ in generator.bytes(1000) }
        for store in hanging { store.hang([.write]) }
        let stores = hanging
        var callers: [Task<PackedBlob, any Error>] = []
        for (index, bytes) in objects.enumerated() {
            callers.append(
                Task {
                    try await packer.pack(ByteBuffer(bytes: bytes), group: PackGroup([1]), recovery: [])
                })
            // The first is to be on its way before the second comes, which would be the first otherwise.
            try #require(await eventually { packer.waitingObjects >= index && stores.contains { $0.waiters > 0 } })
        }
        // The first is being written, alone; the others wait.
        for index in [0, 3, 9] {
            callers[index].cancel()
            await #expect(throws: StorageError.self) { _ = try await callers[index].value }
        }
        #expect(packer.waitingObjects == 7)
        for store in hanging { store.letGo() }
        for (index, caller) in callers.enumerated() where ![0, 3, 9].contains(index) {
            #expect(try await read(harness, try await caller.value, 1000) == objects[index])
        }
        // The pack that nobody waits for any more is removed.
        try #require(await eventually { try await harness.shards().count <= 3 })
    }

    @Test func aPackThatFailsFailsAllItsObjectsAndNoOthers() async throws {
        var generator = SeededGenerator(seed: 64)
        let harness = try PoolHarness()
        let packer = try packer(harness)
        for store in harness.faulty { store.isAvailable = false }
        let objects = (0..<20).map { _ in (bytes: generator.bytes(100), group: UInt8(0)) }
        #expect(await packAll(packer, objects).allSatisfy { $0 == nil })
        for store in harness.faulty { store.isAvailable = true }
        #expect(await packAll(packer, objects).allSatisfy { $0 != nil })
    }

    @Test func packsSurviveTheLossOfTwoStores() async throws {
        var generator = SeededGenerator(seed: 65)
        let harness = try PoolHarness()
        let packer = try packer(harness)
        let objects = (0..<20).map { _ in (bytes: generator.bytes(20_000), group: UInt8(0)) }
        let packed = await packAll(packer, objects)
        for mask in 0..<64 where mask.nonzeroBitCount == 2 {
            for store in 0..<6 { harness.faulty[store].isAvailable = mask >> store & 1 == 0 }
            for (index, object) in objects.enumerated() {
                #expect(try await read(harness, try #require(packed[index]), 20_000) == object.bytes)
            }
        }
    }

    @Test func recordsOfPacksAreReadBackAndNothingElseIs() {
        let record = PackRecord(entries: [
            PackRecord.Entry(offset: 0, length: 5, recovery: [1, 2]),
            PackRecord.Entry(offset: 5, length: 0, recovery: []),
        ])
        #expect(PackRecord(decoding: record.encoded) == record)
        for count in 0..<record.encoded.count {
            #expect(PackRecord(decoding: Array(record.encoded.prefix(count))) == nil)
        }
        #expect(PackRecord(decoding: record.encoded + [0]) == nil)
    }
}
