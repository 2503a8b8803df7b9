import DirectoryStore
import Foundation
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite("Directory stores")
struct DirectoryStoreTests {
    private static let environment = SystemEnvironment()
    private let name = BlobName(epoch: 1, counter: 2, random: 3)

    private static func open(_ path: String, creating: Bool = true) async throws -> DirectoryStore {
        try await DirectoryStore.open(path, creating: creating, environment: environment)
    }

    private static func reopen(_ path: String) async throws -> DirectoryStore {
        try await DirectoryStore.onceClosed { try await open(path, creating: false) }
    }

    /// A large blob is kept as a file of its own, a small one may be kept otherwise.
    private static let large = [UInt8](repeating: 7, count: 1_200_000)

    @Test("keep their blobs from one opening to the next")
    func reopening() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            var generator = SeededGenerator(seed: 4)
            var blobs: [BlobName: [UInt8]] = [:]
            for length in [0, 1, 5000, 70_000, 1_200_000] {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                _ = try await store.write(name, Body(bytes))
                blobs[name] = bytes
            }
            await store.close()
            await #expect(throws: StorageError.self) { _ = try await store.blobs(after: nil, limit: 1) }
            let again = try await Self.reopen(path)
            for (name, bytes) in blobs {
                #expect(try await again.bytes(of: name, range: 0..<Int64(bytes.count)) == bytes)
            }
            #expect(try await again.blobs(after: nil, limit: 10).count == blobs.count)
            await again.close()
        }
    }

    @Test("never replace a blob, whatever is written under its name")
    func otherBytes() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            let (small, large) = ([UInt8](repeating: 1, count: 100), name)
            _ = try await store.write(large, Body(Self.large))
            _ = try await store.write(large, Body(Self.large))
            for other in [[UInt8](repeating: 8, count: Self.large.count), Self.large + [7]] {
                await Self.expectCorrupt { _ = try await store.write(large, Body(other)) }
            }
            #expect(try await store.bytes(of: large, range: 0..<Int64(Self.large.count)) == Self.large)
            let other = BlobName(epoch: 1, counter: 3, random: 3)
            _ = try await store.write(other, Body(small))
            await Self.expectCorrupt { _ = try await store.write(other, Body(Self.large)) }
            #expect(try await store.bytes(of: other, range: 0..<100) == small)
            // A blob that its disk has changed is no other one's place either.
            let file = try #require(try TemporaryDirectory.files(in: path + "/files").first)
            try Data([1, 2, 3]).write(to: URL(fileURLWithPath: "\(path)/files/\(file)"))
            await Self.expectCorrupt { _ = try await store.write(large, Body(Self.large)) }
            #expect(try await eventually { try TemporaryDirectory.files(in: path + "/tmp").isEmpty })
            await store.close()
        }
    }

    private static func expectCorrupt(_ write: () async throws -> Void) async {
        let error = await #expect(throws: StorageError.self) { try await write() }
        guard case .corrupt = error else {
            Issue.record("It was refused as \(String(describing: error)).")
            return
        }
    }

    @Test("are refused where nothing is, unless they are to be made")
    func missing() async throws {
        try await TemporaryDirectory.with { path in
            for missing in [path, path + "/none"] {
                await #expect(throws: StorageError.self) { _ = try await Self.open(missing, creating: false) }
            }
            await #expect(throws: StorageError.self) { _ = try await Self.open(path + "/none/deeper") }
            await (try Self.open(path + "/none")).close()
            await (try Self.reopen(path + "/none")).close()
        }
    }

    @Test("are opened by one process at a time")
    func exclusive() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            await #expect(throws: StorageError.self) { _ = try await Self.open(path) }
            await store.close()
            await (try Self.reopen(path)).close()
        }
    }

    @Test("remove what a crash left half-written, and nothing else")
    func debris() async throws {
        try await TemporaryDirectory.with { path in
            await (try Self.open(path)).close()
            let (mine, foreign) = ("\(path)/tmp/0123456789abcdef-17.part", "\(path)/tmp/notes.part")
            for file in [mine, foreign] { try Data([1]).write(to: URL(fileURLWithPath: file)) }
            let store = try await Self.reopen(path)
            #expect(!FileManager.default.fileExists(atPath: mine))
            #expect(FileManager.default.fileExists(atPath: foreign))
            #expect(try await store.blobs(after: nil, limit: 10).isEmpty)
            await store.close()
        }
    }

    @Test("do not follow links planted among their files (CVE-2026-54917's kind: a way out of the root)")
    func links() async throws {
        try await TemporaryDirectory.with { path in
            try FileManager.default.createDirectory(atPath: path + "/outside", withIntermediateDirectories: false)
            let secret = [UInt8]("secret".utf8)
            let store = try await Self.open(path + "/store")
            _ = try await store.write(name, Body(Self.large))
            let file = try #require(
                try TemporaryDirectory.files(in: path + "/store/files").first { $0.hasSuffix(name.description) })
            let directory = String(file.prefix { $0 != "/" })
            // A link in the place of a blob.
            try FileManager.default.removeItem(atPath: "\(path)/store/files/\(file)")
            try Data(secret).write(to: URL(fileURLWithPath: path + "/outside/secret"))
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/store/files/\(file)", withDestinationPath: path + "/outside/secret")
            await #expect(throws: StorageError.self) { _ = try await store.bytes(of: name, range: 0..<6) }
            #expect(try await store.blobs(after: nil, limit: 10).isEmpty)
            _ = try await store.write(name, Body(Self.large))
            #expect(try Data(contentsOf: URL(fileURLWithPath: path + "/outside/secret")) == Data(secret))
            // A link in the place of a directory of blobs.
            let other = BlobName(epoch: 9, counter: 9, random: 9)
            let otherDirectory = String(other.description.prefix(directory.utf8.count))
            try FileManager.default.createSymbolicLink(
                atPath: "\(path)/store/files/\(otherDirectory)", withDestinationPath: path + "/outside")
            try Data(secret).write(to: URL(fileURLWithPath: "\(path)/outside/\(other)"))
            await #expect(throws: StorageError.self) { _ = try await store.bytes(of: other, range: 0..<6) }
            await #expect(throws: StorageError.self) { _ = try await store.write(other, Body(Self.large)) }
            try await store.delete(other)
            #expect(try Data(contentsOf: URL(fileURLWithPath: "\(path)/outside/\(other)")) == Data(secret))
            #expect(try await store.blobs(after: nil, limit: 10).map(\.name) == [name])
            await store.close()
        }
    }

    @Test("take a pipe in the place of a blob for nothing, and do not wait for it")
    func pipes() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            _ = try await store.write(name, Body(Self.large))
            let file = try #require(try TemporaryDirectory.files(in: path + "/files").first)
            try FileManager.default.removeItem(atPath: "\(path)/files/\(file)")
            #expect(try await TemporaryDirectory.run("/usr/bin/mkfifo", ["\(path)/files/\(file)"]) == 0)
            await #expect(throws: StorageError.self) { _ = try await store.bytes(of: name, range: 0..<1) }
            await store.close()
        }
    }

    @Test("serve a thousand writers at once", arguments: [3000, 100_000])
    func concurrency(_ length: Int) async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for counter in 0..<1000 {
                    group.addTask {
                        let name = BlobName(epoch: 1, counter: UInt64(counter), random: 5)
                        let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: counter), count: length)
                        _ = try await store.write(name, Body(bytes))
                        #expect(try await store.bytes(of: name, range: 0..<Int64(length)) == bytes)
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await store.blobs(after: nil, limit: 2000).count == 1000)
            await store.close()
        }
    }

    @Test("leave no descriptor and no temporary file behind, whatever fails")
    func descriptors() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            _ = try await store.write(name, Body(Self.large))
            let before = try TemporaryDirectory.openDescriptors(below: path)
            for round in 0..<20 {
                let failing = FailingSource(
                    after: [ByteBuffer(bytes: Self.large)], BodyError(.disconnected, "The client went away."))
                let other = BlobName(epoch: 1, counter: 10, random: UInt32(round))
                await #expect(throws: StorageError.self) {
                    _ = try await store.write(other, Body(length: nil, source: failing))
                }
                var sink: any BodySink = FailingSink(after: 600_000, BodyError(.disconnected, "The client went away."))
                await #expect(throws: StorageError.self) {
                    try await store.read(name, range: 0..<1_200_000, into: &sink)
                }
                let reader = Task { try await store.bytes(of: name, range: 0..<1_200_000) }
                let writer = Task { try await store.write(other.shard(1), Body(Self.large)) }
                reader.cancel()
                writer.cancel()
                _ = (await reader.result, await writer.result)
            }
            #expect(try await eventually { try TemporaryDirectory.openDescriptors(below: path) <= before })
            #expect(try await eventually { try TemporaryDirectory.files(in: path + "/tmp").isEmpty })
            await store.close()
            #expect(try await eventually { try TemporaryDirectory.openDescriptors(below: path) == 0 })
        }
    }

    @Test("deliver a blob to the end that is deleted while it is read")
    func deletionUnderRead() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await Self.open(path)
            for length in [3000, 1_200_000] {
                let bytes = [UInt8](repeating: 9, count: length)
                _ = try await store.write(name, Body(bytes))
                var sink: any BodySink = DeletingSink(store: store, name: name)
                try await store.read(name, range: 0..<Int64(length), into: &sink)
                #expect((sink as? DeletingSink)?.count == length)
                await #expect(throws: StorageError.self) { _ = try await store.bytes(of: name, range: 0..<1) }
            }
            await store.close()
        }
    }

    private struct DeletingSink: BodySink {
        let store: DirectoryStore
        let name: BlobName
        var count = 0

        mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
            do throws(StorageError) {
                try await store.delete(name)
            } catch {
                throw BodyError(.storage, "\(error)")
            }
            count += bytes.readableBytes
        }
    }
}
