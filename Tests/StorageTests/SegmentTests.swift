import DirectoryStore
import Foundation
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite("Small blobs in a directory store")
struct SegmentTests {
    private typealias Harness = SegmentHarness

    @Test("share files, and are read back after the store was opened again")
    func sharing() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<2000, count: 2000)
            #expect(try Harness.segments(path).count < 12)
            #expect(try TemporaryDirectory.files(in: path + "/files").isEmpty)
            try await Harness.expect(store, 0..<2000, count: 2000)
            await store.close()
            let again = try await Harness.open(path)
            try await Harness.expect(again, 0..<2000, count: 2000)
            let listed = try await again.blobs(after: Harness.name(998), limit: 500)
            #expect(listed == (999..<1499).map { BlobSummary(name: Harness.name($0), length: 2000) })
            await again.close()
        }
    }

    @Test("give their room back when they are deleted, one by one or all, and stay deleted")
    func deletion() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<3000, count: 3000)
            #expect(try Harness.segments(path).count >= 10)
            try await Harness.delete(store, (0..<3000).filter { $0 % 5 != 0 })
            let left = stride(from: 0, to: 3000, by: 5)
            // Each segment but the one that is written to and the spare is 15/32 full of what is left, 1.8 MB, or more.
            #expect(try await eventually { try Harness.segments(path).count <= 5 })
            try await Harness.expect(store, left, count: 3000)
            await store.close()
            let again = try await Harness.open(path)
            try await Harness.expectNames(again, left)
            try await Harness.expect(again, left, count: 3000)
            for counter in left { try await again.delete(Harness.name(counter)) }
            #expect(try await eventually { try Harness.segments(path).count <= 2 })
            await again.close()
            let last = try await Harness.open(path)
            try await Harness.expectNames(last, [])
            await last.close()
        }
    }

    @Test("that are damaged are reported, and replaced by a write or a deletion")
    func damage() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            for counter in 0..<4 { try await Harness.fill(store, counter..<(counter + 1), count: 3000) }
            let segment = try #require(try Harness.segments(path).first)
            // Each batch begins at a sector of its own.
            for counter in 0..<2 { try Harness.damage(segment, at: Harness.firstPayload + counter * 3072 + 100) }
            for counter in 0..<2 {
                do throws(StorageError) {
                    _ = try await store.bytes(of: Harness.name(counter), range: 0..<1)
                    Issue.record("A damaged blob was read.")
                } catch {
                    guard case .corrupt = error else { throw error }
                }
            }
            await store.close()
            let again = try await Harness.open(path)
            await #expect(throws: StorageError.self) { _ = try await again.bytes(of: Harness.name(1), range: 0..<1) }
            try await Harness.fill(again, 0..<1, count: 3000)
            try await again.delete(Harness.name(1))
            try await Harness.expect(again, [0, 2, 3], count: 3000)
            try await Harness.expectNames(again, [0, 2, 3])
            await again.close()
            let last = try await Harness.open(path)
            try await Harness.expect(last, [0, 2, 3], count: 3000)
            try await Harness.expectNames(last, [0, 2, 3])
            await last.close()
        }
    }

    @Test("whose slots are damaged are not there, and the others are")
    func damagedSlots() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<20, count: 300)
            await store.close()
            let segment = try #require(try Harness.segments(path).first)
            try Harness.damage(segment, at: Harness.slotBytes * 3 + 30)
            try Harness.damage(segment, at: Harness.slotBytes * 7 + 1)
            let again = try await Harness.open(path)
            #expect(try await again.blobs(after: nil, limit: 100).count == 18)
            await again.close()
        }
    }

    @Test("are there although the header of their segment is damaged, as long as it can be told what it said")
    func damagedHeader() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<20, count: 300)
            await store.close()
            let segment = try #require(try Harness.segments(path).first)
            try Harness.damage(segment, at: 12)
            let again = try await Harness.open(path)
            try await Harness.expect(again, 0..<20, count: 300)
            await again.close()
            // Nothing tells any more where the slots end: the file is left as it is, and its name is not used again.
            try Harness.damage(segment, at: Harness.slotBytes + 20)
            let before = try Harness.contents(segment)
            let blind = try await Harness.open(path)
            try await Harness.expectNames(blind, [])
            try await Harness.fill(blind, 100..<1000, count: 3000)
            try await Harness.expect(blind, 100..<1000, count: 3000)
            await blind.close()
            #expect(try Harness.contents(segment) == before)
        }
    }

    @Test("are served from a bounded number of open files")
    func descriptors() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<1700, count: 60_000)
            #expect(try Harness.segments(path).count > 100)
            for counter in stride(from: 0, to: 1700, by: 3) {
                #expect(try await store.bytes(of: Harness.name(counter), range: 0..<60_000).count == 60_000)
            }
            #expect(try TemporaryDirectory.openDescriptors(below: path) < 90)
            try await Harness.delete(store, Array(stride(from: 0, to: 1700, by: 2)))
            #expect(try TemporaryDirectory.openDescriptors(below: path) < 90)
            await store.close()
            let again = try await Harness.open(path)
            #expect(try TemporaryDirectory.openDescriptors(below: path) < 90)
            #expect(try await again.blobs(after: nil, limit: 2000).count == 850)
            await again.close()
        }
    }

    @Test("are not looked for behind links and pipes that are planted among the segments")
    func links() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path + "/store", creating: true)
            try await Harness.fill(store, 0..<20, count: 3000)
            await store.close()
            let segment = try #require(try Harness.segments(path + "/store").first)
            let outside = path + "/outside"
            try FileManager.default.moveItem(atPath: segment, toPath: outside)
            try FileManager.default.createSymbolicLink(atPath: segment, withDestinationPath: outside)
            let pipe = path + "/store/segments/00000000000000ff.segment"
            #expect(try await TemporaryDirectory.run("/usr/bin/mkfifo", [pipe]) == 0)
            let before = try Harness.contents(outside)
            let again = try await Harness.open(path + "/store")
            try await Harness.expectNames(again, [])
            try await Harness.fill(again, 100..<900, count: 3000)
            try await Harness.delete(again, Array(100..<500))
            try await Harness.expect(again, 500..<900, count: 3000)
            await again.close()
            #expect(try Harness.contents(outside) == before)
            #expect(try FileManager.default.destinationOfSymbolicLink(atPath: segment) == outside)
            #expect(FileManager.default.fileExists(atPath: pipe))
        }
    }

    @Test("whose segment somebody deletes are not there, and the others are")
    func deletedSegment() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<1500, count: 2000)
            await store.close()
            let again = try await Harness.open(path)
            let victim = try #require(try Harness.segments(path).first)
            try FileManager.default.removeItem(atPath: victim)
            var lost: [Int] = []
            for counter in 0..<1500 {
                do throws(StorageError) {
                    let bytes = try await again.bytes(of: Harness.name(counter), range: 0..<2000)
                    #expect(bytes == Harness.bytes(counter, count: 2000))
                } catch {
                    guard case .notFound = error else { throw error }
                    lost.append(counter)
                }
            }
            #expect(lost.count > 300)
            #expect(lost.count < 600)
            #expect(try await again.blobs(after: nil, limit: 2000).count == 1500 - lost.count)
            for counter in lost { try await again.delete(Harness.name(counter)) }
            #expect(await again.isHealthy())
            try await Harness.fill(again, 0..<1500, count: 2000)
            try await Harness.expect(again, 0..<1500, count: 2000)
            await again.close()
        }
    }

    @Test("are not said to be durable where the segment that they were written to was deleted")
    func deletedActiveSegment() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Harness.open(path, creating: true)
            try await Harness.fill(store, 0..<1, count: 2000)
            for segment in try Harness.segments(path) { try FileManager.default.removeItem(atPath: segment) }
            for counter in [1, 0] {
                await #expect(throws: StorageError.self) {
                    _ = try await store.write(Harness.name(counter), Body(Harness.bytes(counter, count: 2000)))
                }
            }
            #expect(await !store.isHealthy())
            #expect(store.suspicion != nil)
            try await store.reopen(recreating: false)
            try await Harness.fill(store, 0..<2, count: 2000)
            try await Harness.expect(store, 0..<2, count: 2000)
            await store.close()
        }
    }

    @Test(
        "leave room to move blobs to, so that a full disk has room again after some were deleted here and there",
        .enabled("only root can mount the small disk that this test fills") { try await SmallDisk.isPossible() })
    func full() async throws {
        try await SmallDisk.with(megabytes: 16) { path in
            let store = try await Harness.open(path, creating: true)
            for round in 0..<3 {
                var count = 0
                do throws(StorageError) {
                    while count < 10_000 {
                        let bytes = Harness.bytes(count, count: 5000)
                        _ = try await store.write(Harness.name(round * 10_000 + count), Body(bytes))
                        count += 1
                    }
                } catch {
                    guard case .full = error else { throw error }
                }
                #expect(count > 1500, "in round \(round)")
                // No segment is empty then.
                for position in 0..<count where position % 4 != 0 {
                    try await store.delete(Harness.name(round * 10_000 + position))
                }
                let probe = Harness.name(90_000 + round)
                #expect(
                    try await eventually {
                        do throws(StorageError) {
                            _ = try await store.write(probe, Body([1]))
                            return true
                        } catch {
                            return false
                        }
                    })
                for position in stride(from: 0, to: count, by: 4) {
                    let name = Harness.name(round * 10_000 + position)
                    #expect(try await store.bytes(of: name, range: 0..<5000) == Harness.bytes(position, count: 5000))
                    try await store.delete(name)
                }
            }
            await store.close()
        }
    }

    @Test("match a model through writes, deletions and openings in random order", arguments: [1, 2, 3])
    func model(seed: UInt64) async throws {
        try await TemporaryDirectory.with { path in
            var generator = SeededGenerator(seed: seed)
            var store = try await Harness.open(path, creating: true)
            var model: [BlobName: [UInt8]] = [:]
            for step in 0..<1000 {
                switch Int.random(in: 0..<100, using: &generator) {
                case 0:
                    await store.close()
                    store = try await Harness.open(path)
                case 1: try await store.reopen(recreating: false)
                case 2..<45:
                    guard let name = model.keys.sorted().randomElement(using: &generator) else { continue }
                    try await store.delete(name)
                    model[name] = nil
                default:
                    let count = [0, 100, 5000, 40_000, 66_000].randomElement(using: &generator) ?? 0
                    let (name, bytes) = (Harness.name(step), generator.bytes(count))
                    _ = try await store.write(name, Body(bytes))
                    model[name] = bytes
                }
            }
            let names = model.keys.sorted()
            #expect(try await store.blobs(after: nil, limit: 5000).map(\.name) == names)
            var paged: [BlobName] = []
            while case let page = try await store.blobs(after: paged.last, limit: 7), !page.isEmpty {
                paged += page.map(\.name)
            }
            #expect(paged == names)
            for (name, bytes) in model {
                #expect(try await store.bytes(of: name, range: 0..<Int64(bytes.count)) == bytes)
            }
            await store.close()
        }
    }
}
