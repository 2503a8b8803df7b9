import DirectoryStore
import Foundation
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite("Small blobs in a directory store")
struct SegmentTests {
    private static func open(_ path: String, creating: Bool = false) async throws -> DirectoryStore {
        try await DirectoryStore.open(
            path, creating: creating, environment: SystemEnvironment(), segmentBytes: 1 << 20)
    }

    private static func name(_ counter: Int) -> BlobName {
        BlobName(epoch: 1, counter: UInt64(counter), random: 5)
    }

    private static func bytes(_ counter: Int, count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(counter))
        return generator.bytes(count)
    }

    /// Writes blobs many at a time.
    private static func fill(_ store: DirectoryStore, _ counters: Range<Int>, count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for counter in counters {
                group.addTask { _ = try await store.write(name(counter), Body(bytes(counter, count: count))) }
            }
            try await group.waitForAll()
        }
    }

    private static func expect(_ store: DirectoryStore, _ counters: some Sequence<Int>, count: Int) async throws {
        for counter in counters {
            #expect(try await store.bytes(of: name(counter), range: 0..<Int64(count)) == bytes(counter, count: count))
        }
    }

    private static func segments(_ path: String) throws -> [String] {
        try TemporaryDirectory.files(in: path + "/segments").sorted().map { "\(path)/segments/\($0)" }
    }

    /// Flips a bit of a file.
    private static func damage(_ path: String, at offset: UInt64) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: offset)
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.seek(toOffset: offset)
        try file.write(contentsOf: Data([byte ^ 1]))
        try file.close()
    }

    @Test("share files, and are read back after the store was opened again")
    func sharing() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path, creating: true)
            try await Self.fill(store, 0..<2000, count: 2000)
            #expect(try Self.segments(path).count < 12)
            #expect(try TemporaryDirectory.files(in: path + "/files").isEmpty)
            try await Self.expect(store, 0..<2000, count: 2000)
            await store.close()
            let again = try await Self.open(path)
            try await Self.expect(again, 0..<2000, count: 2000)
            let listed = try await again.blobs(after: Self.name(998), limit: 500)
            #expect(listed == (999..<1499).map { BlobSummary(name: Self.name($0), length: 2000) })
            await again.close()
        }
    }

    @Test("give their room back when they are deleted, one by one or all, and stay deleted")
    func deletion() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path, creating: true)
            try await Self.fill(store, 0..<3000, count: 3000)
            let full = try Self.segments(path).count
            for counter in 0..<3000 where counter % 5 != 0 { try await store.delete(Self.name(counter)) }
            #expect(try await eventually { try Self.segments(path).count <= full / 3 })
            let left = stride(from: 0, to: 3000, by: 5)
            try await Self.expect(store, left, count: 3000)
            await store.close()
            let again = try await Self.open(path)
            #expect(try await again.blobs(after: nil, limit: 5000).map(\.name) == left.map(Self.name))
            try await Self.expect(again, left, count: 3000)
            for counter in left { try await again.delete(Self.name(counter)) }
            #expect(try await eventually { try Self.segments(path).count <= 2 })
            await again.close()
            let last = try await Self.open(path)
            #expect(try await last.blobs(after: nil, limit: 10).isEmpty)
            await last.close()
        }
    }

    @Test("that are damaged are reported, and replaced by a write or a deletion")
    func damage() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path, creating: true)
            for counter in 0..<4 { try await Self.fill(store, counter..<(counter + 1), count: 3000) }
            let segment = try #require(try Self.segments(path).first)
            // The payloads begin after a sixteenth of the file, each batch at a sector of its own.
            let first = UInt64(1 << 20) / 16
            for counter in 0..<2 { try Self.damage(segment, at: first + UInt64(counter) * 3072 + 100) }
            for counter in 0..<2 {
                do throws(StorageError) {
                    _ = try await store.bytes(of: Self.name(counter), range: 0..<1)
                    Issue.record("A damaged blob was read.")
                } catch {
                    guard case .corrupt = error else { throw error }
                }
            }
            await store.close()
            let again = try await Self.open(path)
            await #expect(throws: StorageError.self) { _ = try await again.bytes(of: Self.name(1), range: 0..<1) }
            try await Self.fill(again, 0..<1, count: 3000)
            try await again.delete(Self.name(1))
            try await Self.expect(again, [0, 2, 3], count: 3000)
            #expect(try await again.blobs(after: nil, limit: 10).map(\.name) == [0, 2, 3].map(Self.name))
            await again.close()
        }
    }

    @Test("of a batch that power cut short are not there, and those before it are")
    func tornBatch() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path, creating: true)
            for counter in 0..<3 { try await Self.fill(store, counter..<(counter + 1), count: 3000) }
            await store.close()
            let segment = try #require(try Self.segments(path).first)
            try Self.damage(segment, at: UInt64(1 << 20) / 16 + 2 * 3072 + 100)
            let again = try await Self.open(path)
            #expect(try await again.blobs(after: nil, limit: 10).map(\.name) == [0, 1].map(Self.name))
            try await Self.expect(again, 0..<2, count: 3000)
            await again.close()
        }
    }

    @Test("whose slots are damaged are not there, and the others are")
    func damagedSlots() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path, creating: true)
            try await Self.fill(store, 0..<20, count: 300)
            await store.close()
            let segment = try #require(try Self.segments(path).first)
            try Self.damage(segment, at: 64 * 3 + 30)
            try Self.damage(segment, at: 64 * 7 + 1)
            let again = try await Self.open(path)
            #expect(try await again.blobs(after: nil, limit: 100).count == 18)
            await again.close()
        }
    }

    @Test("that were acknowledged are in a copy of the directory made under load")
    func copyUnderLoad() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path + "/store", creating: true)
            let load = Task {
                var counter = 1000
                while !Task.isCancelled {
                    try await Self.fill(store, counter..<(counter + 50), count: 1500)
                    counter += 50
                }
            }
            try await Self.fill(store, 0..<300, count: 1500)
            #expect(try await TemporaryDirectory.run("/bin/cp", ["-a", path + "/store", path + "/copy"]) == 0)
            load.cancel()
            try await load.value
            let copy = try await Self.open(path + "/copy")
            try await Self.expect(copy, 0..<300, count: 1500)
            for summary in try await copy.blobs(after: nil, limit: 100_000) {
                #expect(try await copy.bytes(of: summary.name, range: 0..<1500).count == 1500)
            }
            await copy.close()
            await store.close()
        }
    }

    @Test("match a model through writes, deletions and openings in random order", arguments: [1, 2, 3])
    func model(seed: UInt64) async throws {
        try await TemporaryDirectory.with { path in
            var generator = SeededGenerator(seed: seed)
            var store = try await Self.open(path, creating: true)
            var model: [BlobName: [UInt8]] = [:]
            for step in 0..<1500 {
                switch Int.random(in: 0..<100, using: &generator) {
                case 0:
                    await store.close()
                    store = try await Self.open(path)
                case 1: try await store.reopen(recreating: false)
                case 2..<45:
                    guard let name = model.keys.sorted().randomElement(using: &generator) else { continue }
                    try await store.delete(name)
                    model[name] = nil
                default:
                    let count = [0, 100, 5000, 40_000, 66_000].randomElement(using: &generator) ?? 0
                    let (name, bytes) = (Self.name(step), generator.bytes(count))
                    _ = try await store.write(name, Body(bytes))
                    model[name] = bytes
                }
            }
            #expect(try await store.blobs(after: nil, limit: 5000).map(\.name) == model.keys.sorted())
            for (name, bytes) in model {
                #expect(try await store.bytes(of: name, range: 0..<Int64(bytes.count)) == bytes)
            }
            await store.close()
        }
    }
}
