import Erasure
import Pools
import Primitives
import Simulation
import Storage
import Synchronization
import Testing
import TidegateTesting

/// A pool on the thread of the test, whose time moves when nothing else can: so that every figure is exact.
private struct SlowPool {
    let scheduler: SeededScheduler
    let environment = SimulatedEnvironment(seed: 2)
    let lane: SeededScheduler.Lane
    let harness: PoolHarness

    init(seed: UInt64 = 1, stores: Int = 6, configure: (inout PoolConfiguration) -> Void = { _ in }) throws {
        let scheduler = SeededScheduler(seed: seed)
        let lane = scheduler.lane()
        harness = try PoolHarness(
            stores: stores, environment: environment, launcher: TaskLauncher { lane.start($0) }, configure: configure)
        (self.scheduler, self.lane) = (scheduler, lane)
    }

    var pool: ErasurePool { harness.pool }
    var now: Duration { .nanoseconds(Int64(environment.monotonicNanoseconds())) }

    /// Does something, and returns what came of it and how long it took.
    func run<Value: Sendable>(_ work: @escaping @Sendable () async throws -> Value) throws -> (Value, Duration) {
        let began = now
        let result = Mutex<Result<Value, any Error>?>(nil)
        _ = lane.start {
            do {
                let value = try await work()
                result.withLock { $0 = .success(value) }
            } catch {
                result.withLock { $0 = .failure(error) }
            }
        }
        while result.withLock({ $0 == nil }) {
            guard scheduler.step() || environment.advanceToNextSleeper() else { break }
        }
        let found = try #require(result.withLock { $0 }, "nothing went on")
        return (try found.get(), now - began)
    }

    func store(_ bytes: [UInt8], _ generator: inout SeededGenerator) throws -> (BlobLocator, Duration) {
        let (name, buffers) = (generator.blobName(), generator.buffers(of: bytes, most: 3000))
        return try run { [pool] in try await pool.store(name, Body(buffers: buffers)) { [] } }
    }

    /// Reads a blob, compares it, and returns how long that took.
    func fetch(_ locator: BlobLocator, _ bytes: [UInt8], _ range: Range<Int>? = nil) throws -> Duration {
        let (found, time) = try run { [harness] in try await harness.fetch(locator, range) }
        #expect(found == range.map { Array(bytes[$0]) } ?? bytes)
        return time
    }

    /// Lets every read of a store, or every write, begin so much later.
    func delay(_ store: Int, _ operation: StoreCall.Operation, _ time: Duration) {
        harness.faulty[store].follow(.every(operation, .delay(time)))
    }

    /// How often a store was read since its plan was made.
    func reads(_ store: Int) -> Int { harness.faulty[store].calls }
}

@Suite("Reads with a slow store")
struct SlowReadTests {
    @Test("wait for it a few times, then begin with others", arguments: [1, 2, 3])
    func learned(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let slow = try SlowPool(seed: seed)
        let bytes = generator.bytes(20_000)
        let (locator, _) = try slow.store(bytes, &generator)
        for store in 0..<6 { slow.delay(store, .read, .milliseconds(4)) }
        for _ in 0..<5 { #expect(try slow.fetch(locator, bytes) == .milliseconds(4)) }
        #expect(slow.pool.answerTime(ofStore: 0) != nil || slow.pool.answerTime(ofStore: 1) != nil)
        // The store of the first data shard.
        let first = try #require(locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<6))], of: 6)[0])
        slow.delay(first, .read, .seconds(2))
        let times = try (0..<20).map { _ in try slow.fetch(locator, bytes) }
        let hedges = slow.pool.hedges
        #expect(times.allSatisfy { $0 <= .milliseconds(300) }, "\(times)")
        #expect(times.suffix(10).allSatisfy { $0 == .milliseconds(4) }, "\(times)")
        #expect((1...8).contains(hedges.begun) && hedges.won == hedges.begun && hedges.refused == 0, "\(hedges)")
        #expect(slow.reads(first) < 10)
        #expect(try #require(slow.pool.answerTime(ofStore: first)) > .milliseconds(20))
    }

    @Test("try it again now and then, without waiting for it, and begin with it once it is fast")
    func back() throws {
        var generator = SeededGenerator(seed: 5)
        let slow = try SlowPool()
        let bytes = generator.bytes(20_000)
        let (locator, _) = try slow.store(bytes, &generator)
        let first = try #require(locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<6))], of: 6)[0])
        for store in 0..<6 { slow.delay(store, .read, .milliseconds(4)) }
        slow.delay(first, .read, .seconds(2))
        while slow.pool.hedges.begun == 0 || slow.reads(first) == 0 { _ = try slow.fetch(locator, bytes) }
        for _ in 0..<10 { _ = try slow.fetch(locator, bytes) }
        let before = slow.reads(first)
        for _ in 0..<400 {
            slow.environment.advance(by: .milliseconds(100))
            #expect(try slow.fetch(locator, bytes) == .milliseconds(4))
        }
        // In forty seconds.
        #expect((2...4).contains(slow.reads(first) - before), "\(slow.reads(first) - before)")
        slow.delay(first, .read, .milliseconds(3))
        for _ in 0..<400 {
            slow.environment.advance(by: .milliseconds(100))
            #expect(try slow.fetch(locator, bytes) <= .milliseconds(4))
        }
        #expect(slow.reads(first) > 200, "\(slow.reads(first))")
    }

    @Test("of a small part go on reading it alone where it is only some milliseconds slower")
    func parts() throws {
        var generator = SeededGenerator(seed: 6)
        let slow = try SlowPool()
        let bytes = generator.bytes(4096)
        let (locator, _) = try slow.store(bytes, &generator)
        let first = try #require(locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<6))], of: 6)[0])
        for store in 0..<6 { slow.delay(store, .read, .milliseconds(store == first ? 60 : 2)) }
        for _ in 0..<30 { #expect(try slow.fetch(locator, bytes, 0..<1000) == .milliseconds(60)) }
        #expect(slow.pool.hedges.begun == 0)
        // The whole of it is read round the store.
        #expect(try slow.fetch(locator, bytes) == .milliseconds(2))
    }

    @Test("read others beside it no more often than the budget says, and wait for it then")
    func budget() throws {
        var generator = SeededGenerator(seed: 7)
        let slow = try SlowPool(configure: { $0.hedgeBudget = 0 })
        let bytes = generator.bytes(20_000)
        let (locator, _) = try slow.store(bytes, &generator)
        let first = try #require(locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<6))], of: 6)[0])
        slow.delay(first, .read, .seconds(2))
        #expect(try slow.fetch(locator, bytes) == .seconds(2))
        let hedges = slow.pool.hedges
        #expect(hedges.begun == 0 && hedges.refused == 1 && hedges.left == 0, "\(hedges)")
        // What was learnt of it counts nevertheless.
        #expect(try slow.fetch(locator, bytes) < .milliseconds(1))
    }

    @Test("replace what failed, and what is given up, whatever the budget says")
    func failover() throws {
        var generator = SeededGenerator(seed: 8)
        let slow = try SlowPool(configure: { ($0.hedgeBudget, $0.shardDeadline) = (0, .seconds(1)) })
        let bytes = generator.bytes(20_000)
        let (locator, _) = try slow.store(bytes, &generator)
        let order = locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<6))], of: 6).compactMap(\.self)
        slow.delay(order[0], .read, .seconds(20))
        slow.harness.faulty[order[1]].isAvailable = false
        let time = try slow.fetch(locator, bytes)
        #expect((.seconds(1)...(.milliseconds(1200))).contains(time), "\(time)")
        #expect(slow.pool.hedges.begun == 0)
    }

    @Test("where all stores are slow cost no more than the budget")
    func overload() throws {
        var generator = SeededGenerator(seed: 9)
        let slow = try SlowPool()
        let bytes = generator.bytes(20_000)
        let (locator, _) = try slow.store(bytes, &generator)
        for round in 0..<200 {
            // Unforeseeable, so that nothing can be learnt.
            for store in 0..<6 {
                slow.delay(store, .read, .milliseconds(Int.random(in: 0..<10, using: &generator) == 0 ? 3000 : 2))
            }
            _ = try slow.fetch(locator, bytes)
            let hedges = slow.pool.hedges
            // Ten that were saved up, and 5 % of at most six readers.
            #expect(Double(hedges.begun) <= 10 + 0.05 * 6 * Double(round + 1), "\(hedges)")
        }
        let hedges = slow.pool.hedges
        #expect(hedges.begun > 15 && hedges.refused > 0 && hedges.won <= hedges.begun, "\(hedges)")
    }
}

@Suite("Writes with a slow store")
struct SlowWriteTests {
    private func order(_ locator: BlobLocator) -> [Int] {
        locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<6))], of: 6).compactMap(\.self)
    }

    @Test("leave one behind that alone holds them up", arguments: [1, 2, 3])
    func straggler(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let failures = Mutex<[String]>([])
        let slow = try SlowPool(
            seed: seed, stores: 7,
            configure: {
                $0.suspicion = .seconds(1)
                $0.onFailure = { store, error in failures.withLock { $0.append("\(store): \(error)") } }
            })
        let bytes = generator.bytes(100_000)
        for store in 0..<7 { slow.delay(store, .write, .milliseconds(store == 3 ? 9000 : 5)) }
        var (times, locators): ([Duration], [BlobLocator]) = ([], [])
        while times.count < 12 {
            let (locator, time) = try slow.store(bytes, &generator)
            times.append(time)
            locators.append(locator)
        }
        #expect(slow.pool.stragglers == 1, "\(times)")
        let long = times.filter { $0 > .milliseconds(100) }
        #expect(long.count == 1 && long.allSatisfy { $0 > .seconds(3) && $0 < .milliseconds(3500) }, "\(times)")
        #expect(failures.withLock { $0.contains { $0.contains("slower than all the others") } })
        // Nothing lies there, and all is whole.
        for locator in locators {
            #expect(!locator.stores(placedBy: [Placement(epoch: 0, stores: Array(0..<7))], of: 7).contains(3))
            let (states, _) = try slow.run { [pool = slow.pool] in try await pool.verify(locator).map(\.state) }
            #expect(states.allSatisfy { $0 == .sound })
        }
        // Reads of it work, and do not make a write wait for it.
        #expect(slow.now < .seconds(8))
        slow.environment.advance(by: .seconds(100))
        slow.delay(3, .write, .milliseconds(5))
        let after = try (0..<12).map { _ in try slow.store(bytes, &generator) }
        #expect(after.allSatisfy { $0.1 < .milliseconds(100) })
        #expect(slow.pool.stragglers == 1)
    }

    @Test("wait for two that are slow, and for one that is less slow than that")
    func patience() throws {
        var generator = SeededGenerator(seed: 4)
        let slow = try SlowPool()
        let bytes = generator.bytes(100_000)
        slow.delay(0, .write, .milliseconds(2900))
        #expect(try slow.store(bytes, &generator).1 == .milliseconds(2900))
        slow.delay(0, .write, .milliseconds(6000))
        slow.delay(1, .write, .milliseconds(6000))
        #expect(try slow.store(bytes, &generator).1 == .milliseconds(6000))
        // Alone for four seconds, after five in which it was not.
        slow.delay(0, .write, .milliseconds(9000))
        slow.delay(1, .write, .milliseconds(5000))
        #expect(try slow.store(bytes, &generator).1 == .milliseconds(9000))
        #expect(slow.pool.stragglers == 0)
    }
}
