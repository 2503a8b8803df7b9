import DirectoryStore
import Foundation
import Primitives
import Storage
import Testing
import TidegateTesting

/// What is left on a disk by a process that died, or by power that went, at each point.
@Suite("Small blobs after a crash")
struct SegmentCrashTests {
    private typealias Harness = SegmentHarness

    @Test("of a batch that power cut short are not there, and those before it are")
    func tornBatch() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            for counter in 0..<3 { try await Harness.fill(store, counter..<(counter + 1), count: 3000) }
            await store.close()
            let segment = try #require(try Harness.segments(path).first)
            try Harness.damage(segment, at: Harness.firstPayload + 2 * 3072 + 100)
            let again = try await Harness.open(path)
            try await Harness.expectNames(again, 0..<2)
            try await Harness.expect(again, 0..<2, count: 3000)
            await again.close()
        }
    }

    /// Power may go before a sync with any of its sectors written and any not, in whatever order.
    @Test("are there if they were acknowledged, whichever sectors of the next batch were written", arguments: 1...4)
    func mixedSectors(seed: UInt64) async throws {
        try await TemporaryDirectory.with { path in
            var generator = SeededGenerator(seed: seed)
            let store = try await Harness.open(path + "/store", creating: true)
            for counter in 0..<10 { try await Harness.fill(store, counter..<(counter + 1), count: 2000) }
            let segment = try #require(try Harness.segments(path + "/store").first)
            let before = try Harness.contents(segment)
            let count = [1, 511, 3000, 60_000][Int(seed) - 1]
            try await Harness.fill(store, 10..<11, count: count)
            let after = try Harness.contents(segment)
            await store.close()
            let changed = stride(from: 0, to: before.count, by: Harness.sectorBytes).filter { start in
                before[start..<start + Harness.sectorBytes] != after[start..<start + Harness.sectorBytes]
            }
            #expect(changed.count >= 2)
            for round in 0..<12 {
                var image = before
                // None, all, all but each end, and any of them.
                for (position, start) in changed.enumerated() {
                    let isWritten =
                        switch round {
                        case 0: false
                        case 1: true
                        case 2: position > 0
                        case 3: position < changed.count - 1
                        default: Bool.random(using: &generator)
                        }
                    guard isWritten else { continue }
                    let sector = start..<start + Harness.sectorBytes
                    image.replaceSubrange(sector, with: after[sector])
                }
                let copy = "\(path)/\(round)"
                #expect(try await TemporaryDirectory.run("/bin/cp", ["-a", path + "/store", copy]) == 0)
                try FileManager.default.removeItem(atPath: try #require(try Harness.segments(copy).first))
                try Data(image).write(to: URL(fileURLWithPath: try Self.same(segment, in: copy)))
                let again = try await Harness.open(copy)
                try await Harness.expect(again, 0..<10, count: 2000)
                let names = try await again.blobs(after: nil, limit: 100).map(\.name)
                #expect(names.starts(with: (0..<10).map(Harness.name)))
                if names.count > 10 { try await Harness.expect(again, [10], count: count) }
                #expect(names.count == 11 || image != after)
                await again.close()
                try FileManager.default.removeItem(atPath: copy)
            }
        }
    }

    private static func same(_ segment: String, in store: String) throws -> String {
        "\(store)/segments/\(URL(fileURLWithPath: segment).lastPathComponent)"
    }

    @Test("that were acknowledged are in a copy of the directory made under load, and those deleted are not")
    func copyUnderLoad() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path + "/store", creating: true)
            let load = Task {
                var counter = 1000
                while !Task.isCancelled {
                    try await Harness.fill(store, counter..<(counter + 50), count: 1500)
                    try await Harness.delete(store, (counter..<counter + 40).map { $0 })
                    counter += 50
                }
            }
            try await Harness.fill(store, 0..<600, count: 1500)
            try await Harness.delete(store, (0..<600).filter { $0 % 2 == 1 })
            #expect(try await TemporaryDirectory.run("/bin/cp", ["-a", path + "/store", path + "/copy"]) == 0)
            load.cancel()
            try await load.value
            let copy = try await Harness.open(path + "/copy")
            let left = stride(from: 0, to: 600, by: 2)
            try await Harness.expect(copy, left, count: 1500)
            let names = try await copy.blobs(after: nil, limit: 100_000).map(\.name)
            #expect(names.filter { $0 < Harness.name(1000) } == left.map(Harness.name))
            for name in names { #expect(try await copy.bytes(of: name, range: 0..<1500).count == 1500) }
            await copy.close()
            await store.close()
        }
    }

    /// A store with a sparse segment whose blobs were copied to another one, as a process leaves it that dies before
    /// the first is deleted: calls `use` with the two segments' paths.
    private static func halfMoved(
        _ use: @Sendable (_ path: String, _ source: String, _ target: String) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            // One after the other, so that a segment holds just the first eighty.
            for counter in 0..<100 { try await Harness.fill(store, counter..<(counter + 1), count: 12_000) }
            let source = try #require(try Harness.segments(path).first)
            // A second name keeps the file, with all that is written to it until it is deleted.
            let kept = path + "/kept"
            try FileManager.default.linkItem(atPath: source, toPath: kept)
            // The last of these makes it sparse: none comes when the blobs are moved already.
            try await Harness.delete(store, Array(0..<40))
            #expect(try await eventually { !FileManager.default.fileExists(atPath: source) })
            let target = try #require(try Harness.segments(path).first)
            await store.close()
            try FileManager.default.moveItem(atPath: kept, toPath: source)
            try await use(path, source, target)
        }
    }

    @Test("that were being moved are there once, and stay deleted when they are")
    func halfMoved() async throws {
        try await Self.halfMoved { path, source, _ in
            let store = try await Harness.open(path)
            try await Harness.expectNames(store, 40..<100)
            try await Harness.expect(store, 40..<100, count: 12_000)
            try await Harness.delete(store, Array(40..<70))
            await store.close()
            let again = try await Harness.open(path)
            try await Harness.expectNames(again, 70..<100)
            try await Harness.delete(again, Array(70..<100))
            #expect(try await eventually { !FileManager.default.fileExists(atPath: source) })
            await again.close()
            let last = try await Harness.open(path)
            try await Harness.expectNames(last, [])
            await last.close()
        }
    }

    /// What a process wrote that died can be read as long as the power stays on, and be gone when it goes.
    @Test("that were being moved are not trusted to have arrived because they can be read")
    func unsyncedMove() async throws {
        try await Self.halfMoved { path, source, target in
            let store = try await Harness.open(path)
            // Now power goes: the copies were in memory only.
            let (from, to) = (Data(try Harness.contents(source)), Data(try Harness.contents(target)))
            var copies = 0
            for counter in 40..<100 {
                let bytes = Data(Harness.bytes(counter, count: 12_000))
                guard from.range(of: bytes) != nil, let copy = to.range(of: bytes) else { continue }
                try Harness.write([UInt8](repeating: 0, count: 12_000), to: target, at: copy.lowerBound)
                copies += 1
            }
            #expect(copies > 30)
            try await Harness.fill(store, 1000..<1300, count: 3000)
            try await Harness.expect(store, 40..<100, count: 12_000)
            #expect(try await eventually { !FileManager.default.fileExists(atPath: source) })
            try await Harness.expect(store, 40..<100, count: 12_000)
            await store.close()
        }
    }

    @Test("that were being moved come from the new place where the old one is damaged")
    func damagedSource() async throws {
        try await Self.halfMoved { path, source, _ in
            for counter in 40..<50 {
                let bytes = Data(Harness.bytes(counter, count: 12_000))
                let found = try #require(Data(try Harness.contents(source)).range(of: bytes))
                try Harness.damage(source, at: found.lowerBound + 17)
            }
            let store = try await Harness.open(path)
            try await Harness.expectNames(store, 40..<100)
            try await Harness.expect(store, 40..<100, count: 12_000)
            await store.close()
        }
    }

    @Test("of an empty segment, or one that was cut short, keep no store from opening")
    func oddFiles() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<20, count: 3000)
            await store.close()
            let segment = try #require(try Harness.segments(path).first)
            let whole = try Harness.contents(segment)
            for length in [0, 1, 63, 64, 127, 128, 512, 4096, Harness.firstPayload, Harness.firstPayload + 5000] {
                try Data(whole.prefix(length)).write(to: URL(fileURLWithPath: segment))
                let again = try await Harness.open(path)
                for name in try await again.blobs(after: nil, limit: 100).map(\.name) {
                    do throws(StorageError) {
                        let bytes = try await again.bytes(of: name, range: 0..<3000)
                        #expect(bytes == Harness.bytes(Int(name.counter), count: 3000))
                    } catch {
                        guard case .corrupt = error else { throw error }
                    }
                }
                try await Harness.fill(again, 100..<101, count: 3000)
                try await Harness.expect(again, [100], count: 3000)
                try await again.delete(Harness.name(100))
                await again.close()
            }
        }
    }
}
