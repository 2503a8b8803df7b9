import DirectoryStore
import Foundation
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

/// Small blobs in a directory store, and the files that hold them.
enum SegmentHarness {
    /// The least that a segment may have, a sixteenth of which is for slots.
    static let segmentBytes = 1 << 20
    /// Where payloads begin in such a segment.
    static let firstPayload = segmentBytes / 16
    static let slotBytes = 64
    static let sectorBytes = 512

    static func open(_ path: String, creating: Bool = false) async throws -> DirectoryStore {
        try await DirectoryStore.onceClosed {
            try await DirectoryStore.open(
                path, creating: creating, environment: SystemEnvironment(), segmentBytes: Int64(segmentBytes))
        }
    }

    static func name(_ counter: Int) -> BlobName {
        BlobName(epoch: 1, counter: UInt64(counter), random: 5)
    }

    static func bytes(_ counter: Int, count: Int) -> [UInt8] {
        var generator = SeededGenerator(seed: UInt64(counter))
        return generator.bytes(count)
    }

    /// Writes blobs many at a time.
    static func fill(_ store: DirectoryStore, _ counters: Range<Int>, count: Int) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for counter in counters {
                group.addTask { _ = try await store.write(name(counter), Body(bytes(counter, count: count))) }
            }
            try await group.waitForAll()
        }
    }

    /// Deletes blobs many at a time.
    static func delete(_ store: DirectoryStore, _ counters: [Int]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for counter in counters { group.addTask { try await store.delete(name(counter)) } }
            try await group.waitForAll()
        }
    }

    static func expect(_ store: DirectoryStore, _ counters: some Sequence<Int>, count: Int) async throws {
        for counter in counters {
            #expect(try await store.bytes(of: name(counter), range: 0..<Int64(count)) == bytes(counter, count: count))
        }
    }

    static func expectNames(_ store: DirectoryStore, _ counters: some Sequence<Int>) async throws {
        #expect(try await store.blobs(after: nil, limit: 100_000).map(\.name) == counters.map(name))
    }

    /// The paths of a store's segments, in order.
    static func segments(_ path: String) throws -> [String] {
        try TemporaryDirectory.files(in: path + "/segments").sorted().map { "\(path)/segments/\($0)" }
    }

    static func contents(_ path: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))
    }

    /// Overwrites a file in place.
    static func write(_ bytes: [UInt8], to path: String, at offset: Int = 0) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(offset))
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    /// Flips a bit of a file.
    static func damage(_ path: String, at offset: Int) throws {
        let file = try FileHandle(forReadingFrom: URL(fileURLWithPath: path))
        try file.seek(toOffset: UInt64(offset))
        let byte = try #require(try file.read(upToCount: 1)?.first)
        try file.close()
        try write([byte ^ 1], to: path, at: offset)
    }
}
