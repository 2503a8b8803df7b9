import Pools
import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

/// Two of six stores lie, as many as a blob of 4+2 shards bears: each lie is found, named and survived.
@Suite(.serialized, .enabled(if: !Liar.all.isEmpty, Liar.missing))
struct LyingBackendTests {
    @Test("No wrong byte is read, and the scrub finds the shard", arguments: Liar.telling(Lie.aboutReading))
    func reading(_ liar: Liar, _ lie: Lie<ReadOutcome>) async throws {
        try await LyingPool.with(liar) { harness in
            var generator = SeededGenerator(seed: 51)
            let bytes = generator.bytes(9000)
            let locator = try await harness.store(bytes, &generator)
            // It is there to be taken for the first one.
            let other = try await harness.store(generator.bytes(400), &generator)
            let before = try await harness.count()
            try await harness.lie(lie.fault)
            try await harness.expectRight(locator, bytes, "while it lies")
            let (count, met) = (try await harness.count(), harness.takeDamage())
            #expect(count > before)
            let repaired = try await scrub(harness, locator, bytes, lie.outcome, met)
            try await harness.control.clear()
            try await harness.expectRight(locator, bytes, "once it is honest")
            try await harness.expectRepair(repaired, bytes)
            try await harness.pool.remove(other)
            try await harness.expectNothingLeft()
        }
    }

    /// Checks what reads told, scrubs and repairs while the stores lie still; gives the locator that an index would
    /// have then.
    private func scrub(
        _ harness: LyingPool, _ locator: BlobLocator, _ bytes: [UInt8], _ outcome: ReadOutcome,
        _ met: [Int: Set<ShardDamage.Kind>]
    ) async throws -> BlobLocator {
        let statuses = try await harness.pool.verify(locator)
        let damaged = statuses.filter { $0.state != .sound }
        guard case .damage(let kinds) = outcome else {
            #expect(met.isEmpty && damaged.isEmpty, "\(met) \(damaged)")
            return locator
        }
        #expect(Set(met.keys) == [0, 1])
        #expect(met.values.allSatisfy { !$0.isDisjoint(with: kinds) && $0.isSubset(of: kinds) }, "\(met)")
        #expect(damaged.map(\.index) == [0, 1])
        #expect(damaged.map(\.store) == [0, 1])
        for status in damaged {
            guard case .unavailable(let detail) = status.state else { continue }
            #expect(detail.contains("store-\(status.index): GetObject: "))
        }
        // What a liar gives back wrongly goes elsewhere.
        let report = try await harness.pool.repair(locator)
        #expect(report.isWhole && report.repairs.map(\.index) == [0, 1])
        #expect(report.repairs.allSatisfy { $0.store > 1 })
        try await harness.expectRight(report.locator, bytes, "repaired while it lies")
        _ = harness.takeDamage()
        try await harness.control.clear()
        try await harness.pool.discard(report)
        return report.locator
    }

    @Test("What is acknowledged is read, also without the liars", arguments: Liar.telling(Lie.aboutWriting))
    func writing(_ liar: Liar, _ lie: Lie<WriteOutcome>) async throws {
        try await LyingPool.with(liar) { try await write(to: $0, lie) }
    }

    @Test("What goes out in parts is read, also without the liars", arguments: Liar.telling(Lie.aboutParts))
    func writingInParts(_ liar: Liar, _ lie: Lie<WriteOutcome>) async throws {
        try await LyingPool.with(liar, bufferedBytes: 1000) { try await write(to: $0, lie) }
    }

    private func write(to harness: LyingPool, _ lie: Lie<WriteOutcome>) async throws {
        var generator = SeededGenerator(seed: 52)
        let bytes = generator.bytes(30_000)
        let before = try await harness.count()
        try await harness.lie(lie.fault)
        let locator = try await harness.store(bytes, &generator)
        let count = try await harness.count()
        #expect(count > before)
        try await harness.withoutLiars { try await harness.expectRight(locator, bytes, "without the liars") }
        try await harness.expectRight(locator, bytes, "once they are honest")
        let statuses = try await harness.pool.verify(locator)
        let moved = locator.exceptions.map(\.index)
        switch lie.outcome {
        case .home:
            #expect(moved.isEmpty)
            #expect(statuses.allSatisfy { $0.state == .sound })
        case .elsewhere:
            #expect(moved == [0, 1])
            #expect(locator.exceptions.allSatisfy { $0.store.map { $0 > 1 } == true })
            #expect(statuses.allSatisfy { $0.state == .sound || $0.state == .crowded })
        case .lost:
            #expect(moved.isEmpty)
            let damaged = statuses.filter { $0.state != .sound }
            #expect(damaged.map(\.state) == [.missing, .missing])
            #expect(damaged.map(\.store) == [0, 1])
        }
        try await harness.expectRepair(locator, bytes)
        try await harness.expectNothingLeft()
    }

    @Test("A listing that lies hides nothing and adds nothing", arguments: Liar.telling(Lie.aboutListing))
    func listing(_ liar: Liar, _ lie: Lie<ListingOutcome>) async throws {
        try await LyingPool.with(liar) { harness in
            var generator = SeededGenerator(seed: 53)
            // What a stale listing shows.
            let none = try await harness.pool.listing(after: nil, limit: 100).map(\.name)
            #expect(none.isEmpty)
            var blobs: [(locator: BlobLocator, bytes: [UInt8])] = []
            for _ in 0..<2 {
                let bytes = generator.bytes(3000)
                blobs.append((try await harness.store(bytes, &generator), bytes))
            }
            try await harness.lie(lie.fault)
            let names = try await harness.pool.listing(after: nil, limit: 100).map(\.name)
            #expect(names == blobs.map(\.locator.name).sorted())
            let (locator, bytes) = blobs[0]
            let located = try await harness.pool.locate(locator.name)
            #expect(located.locator.length == locator.length && located.recovery == Array("recovery".utf8))
            try await harness.expectRight(located.locator, bytes, "as it was located")
            try await expectLying(harness.stores[0], lie.outcome)
            let count = try await harness.count()
            #expect(count > 0)
            try await harness.control.clear()
            for (locator, bytes) in blobs {
                try await harness.expectRight(locator, bytes, "once it is honest")
                try await harness.pool.remove(locator)
            }
            try await harness.expectNothingLeft()
        }
    }

    /// What a store gives, or says, of its own listing.
    private func expectLying(_ store: RemoteStore, _ outcome: ListingOutcome) async throws {
        var (listed, failure): ([BlobSummary], StorageError?) = ([], nil)
        do throws(StorageError) {
            // As the first listing, which a stale one repeats.
            listed = try await store.blobs(after: nil, limit: 600)
        } catch {
            failure = error
        }
        switch outcome {
        case .named: #expect(failure?.unavailable?.hasPrefix("store-0: ListObjectsV2: ") == true)
        case .less: #expect(failure == nil && listed.count < 2)
        }
    }

    @Test("A removal that is not done is refused, or shows in a listing", arguments: Liar.telling(Lie.aboutRemoving))
    func removing(_ liar: Liar, _ lie: Lie<RemovalOutcome>) async throws {
        try await LyingPool.with(liar) { harness in
            var generator = SeededGenerator(seed: 54)
            let before = try await harness.count()
            let locator = try await harness.store(generator.bytes(3000), &generator)
            try await harness.lie(lie.fault)
            let failed = await failure { () throws(StorageError) in try await harness.pool.remove(locator) }
            let count = try await harness.count()
            #expect(count > before)
            let names = try await harness.pool.listing(after: nil, limit: 10).map(\.name)
            try await harness.control.clear()
            switch lie.outcome {
            case .done: #expect(failed == nil && names.isEmpty)
            case .orphan: #expect(failed == nil && names == [locator.name])
            case .refused:
                let named = (0..<2).contains { failed?.unavailable?.hasPrefix("store-\($0): DeleteObject: ") == true }
                #expect(named)
                #expect(names == [locator.name])
            }
            try await harness.pool.remove(locator)
            try await harness.expectNothingLeft()
        }
    }

    @Test("All lies at once, each now and then", arguments: Liar.all)
    func mixture(_ liar: Liar) async throws {
        try await LyingPool.with(liar) { harness in
            var generator = SeededGenerator(seed: 58)
            for fault in LyingPool.mixture { try await harness.lie(fault) }
            var blobs: [(locator: BlobLocator, bytes: [UInt8])] = []
            for _ in 0..<7 {
                let bytes = generator.bytes(1 + Int(generator.next() % 20_000))
                blobs.append((try await harness.store(bytes, &generator), bytes))
                let (locator, old) = blobs[Int(generator.next() % UInt64(blobs.count))]
                try await harness.expectRight(locator, old, "in between")
            }
            for index in blobs.indices {
                let report = try await harness.pool.repair(blobs[index].locator)
                try await harness.expectRight(report.locator, blobs[index].bytes, "repaired in between")
                try await harness.pool.discard(report)
                blobs[index].locator = report.locator
            }
            let count = try await harness.count()
            #expect(count > 30)
            try await harness.control.clear()
            for (locator, bytes) in blobs { try await harness.expectRepair(locator, bytes) }
        }
    }

    @Test("A clock that is an hour off, and is set right then", arguments: Liar.all, [3600, -3600])
    func clock(_ liar: Liar, _ seconds: Int) async throws {
        try await LyingPool.with(liar) { harness in
            var generator = SeededGenerator(seed: 57)
            let bytes = generator.bytes(9000)
            let old = try await harness.store(bytes, &generator)
            let before = try await harness.count()
            try await harness.lie(#"{"kind": "skew", "seconds": \#(seconds)}"#)
            try await harness.expectRight(old, bytes, "by another clock")
            let new = try await harness.store(bytes, &generator)
            #expect(new.exceptions.isEmpty)
            for store in harness.stores[0..<2] {
                #expect(abs(store.clockSkew.components.seconds - Int64(seconds)) < 60)
            }
            let count = try await harness.count()
            #expect(count > before)
            try await harness.control.clear()
            for locator in [old, new] {
                try await harness.expectRight(locator, bytes, "by the right clock")
                let statuses = try await harness.pool.verify(locator)
                #expect(statuses.allSatisfy { $0.state == .sound })
                try await harness.pool.remove(locator)
            }
            #expect(harness.takeDamage().isEmpty)
            for store in harness.stores[0..<2] { #expect(abs(store.clockSkew.components.seconds) < 60) }
            try await harness.expectNothingLeft()
        }
    }

    @Test("A store that hangs holds up neither reads nor writes", arguments: Liar.all.prefix(1))
    func hanging(_ liar: Liar) async throws {
        try await LyingPool.with(liar, deadline: .seconds(2)) { harness in
            var generator = SeededGenerator(seed: 55)
            let bytes = generator.bytes(30_000)
            let old = try await harness.store(bytes, &generator)
            try await harness.lie(#"{"kind": "hang", "at": 20}"#)
            try await harness.expectRight(old, bytes, "while it hangs")
            let new = try await harness.store(bytes, &generator)
            try await harness.expectRight(new, bytes, "written while it hangs")
            let damaged = try await harness.pool.verify(old).filter { $0.state != .sound }
            #expect(damaged.map(\.store) == [0, 1])
            #expect(damaged.allSatisfy { if case .unavailable = $0.state { true } else { false } })
            try await harness.control.clear()
            for locator in [old, new] { try await harness.expectRepair(locator, bytes) }
            // Whoever hung writes on, and what it writes is taken back.
            try await expectEventually { try await harness.pool.listing(after: nil, limit: 10).isEmpty }
        }
    }

    @Test("A server that is stopped, or killed, is survived and comes back", arguments: Liar.all, ["stop", "kill"])
    func server(_ liar: Liar, _ deed: String) async throws {
        try await LyingPool.with(liar, deadline: .seconds(2)) { harness in
            var generator = SeededGenerator(seed: 56)
            let bytes = generator.bytes(30_000)
            let old = try await harness.store(bytes, &generator)
            try await harness.control.server(deed)
            let survived: Result<BlobLocator, any Error>
            do {
                try await harness.expectRight(old, bytes, "without the server")
                let new = try await harness.store(bytes, &generator)
                try await harness.expectRight(new, bytes, "written without the server")
                survived = .success(new)
            } catch {
                survived = .failure(error)
            }
            // Whatever came of it, other tests need the server.
            try await harness.control.server(deed == "stop" ? "continue" : "start")
            let new = try survived.get()
            #expect(new.exceptions.map(\.index) == [0, 1])
            for locator in [old, new] {
                try await harness.expectRight(locator, bytes, "with the server again")
                try await harness.expectRepair(locator, bytes)
            }
            try await expectEventually { try await harness.pool.listing(after: nil, limit: 10).isEmpty }
        }
    }

    private func expectEventually(_ condition: () async throws -> Bool) async throws {
        let environment = SystemEnvironment()
        let deadline = environment.monotonicNanoseconds() + 60_000_000_000
        while try await !condition() {
            try #require(environment.monotonicNanoseconds() < deadline)
            try await environment.sleep(for: .milliseconds(20))
        }
    }
}
