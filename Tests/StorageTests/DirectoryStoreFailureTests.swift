import DirectoryStore
import Foundation
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite("Directory stores that lose their disk")
struct DirectoryStoreFailureTests {
    private static let environment = SystemEnvironment()
    private let name = BlobName(epoch: 1, counter: 2, random: 3)

    @Test("keep whose they are, and write it anew at once")
    func identity() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await DirectoryStore.open(path, creating: true, environment: Self.environment)
            #expect(try await store.readIdentity() == nil)
            var identity = try #require(
                StoreIdentity(newStoreOf: [UInt8](repeating: 1, count: 16), environment: Self.environment))
            try await store.writeIdentity(identity)
            identity.highWaterMark = .max
            try await store.writeIdentity(identity)
            await store.close()
            let again = try await DirectoryStore.onceClosed {
                try await DirectoryStore.open(path, creating: false, environment: Self.environment)
            }
            #expect(try await again.readIdentity() == identity)
            for damaged in ["", "tidegate store\nformat 1\n", "tidegate store\nformat 2\n", "x"] {
                try Data(damaged.utf8).write(to: URL(fileURLWithPath: path + "/identity"))
                await #expect(throws: StorageError.self) { _ = try await again.readIdentity() }
            }
            await again.close()
        }
    }

    @Test("say whose they are without being opened, and nothing of theirs is touched")
    func identityOfAForeignStore() async throws {
        try await TemporaryDirectory.with { path in
            #expect(try await DirectoryStore.readIdentity(at: path + "/none") == nil)
            let store = try await DirectoryStore.open(path, creating: true, environment: Self.environment)
            #expect(try await DirectoryStore.readIdentity(at: path) == nil)
            let identity = try #require(
                StoreIdentity(newStoreOf: [UInt8](repeating: 1, count: 16), environment: Self.environment))
            try await store.writeIdentity(identity)
            _ = try await store.write(name, Body([1, 2, 3]))
            // It may be open elsewhere.
            #expect(try await DirectoryStore.readIdentity(at: path) == identity)
            // An open store makes files of its own at times.
            await store.close()
            let debris = "\(path)/tmp/0123456789abcdef-17.part"
            try Data([1]).write(to: URL(fileURLWithPath: debris))
            let before = try Self.sizes(in: path)
            #expect(before.keys.contains("tmp/0123456789abcdef-17.part"))
            #expect(try await DirectoryStore.readIdentity(at: path) == identity)
            #expect(try Self.sizes(in: path) == before)
            try Data("x".utf8).write(to: URL(fileURLWithPath: path + "/identity"))
            await #expect(throws: StorageError.self) { _ = try await DirectoryStore.readIdentity(at: path) }
        }
    }

    /// The sizes of all files below a directory.
    private static func sizes(in path: String) throws -> [String: Int] {
        var sizes: [String: Int] = [:]
        for file in try TemporaryDirectory.files(in: path) {
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(file)")
            sizes[file] = attributes[.size] as? Int
        }
        return sizes
    }

    @Test(
        "fail cleanly when the directory is deleted under load, and come back when told to", arguments: [true, false])
    func deletedDirectory(wholly: Bool) async throws {
        try await TemporaryDirectory.with { path in
            let root = path + "/store"
            let store = try await DirectoryStore.open(root, creating: true, environment: Self.environment)
            #expect(await store.isHealthy())
            let load = Task {
                var (refused, counter): (Int, UInt64) = (0, 0)
                while refused < 20 {
                    counter += 1
                    let name = BlobName(epoch: 1, counter: counter, random: 1)
                    do throws(StorageError) {
                        _ = try await store.write(
                            name, Body([UInt8](repeating: 1, count: counter % 2 == 0 ? 2000 : 90_000)))
                        _ = try await store.bytes(of: name, range: 0..<2000)
                    } catch {
                        switch error {
                        case .unavailable, .notFound: refused += 1
                        default: throw error
                        }
                    }
                }
            }
            #expect(try await eventually { try TemporaryDirectory.files(in: root).count > 10 })
            // The store may write into it meanwhile, so that one attempt need not suffice.
            #expect(
                try await eventually {
                    try await TemporaryDirectory.run("/bin/rm", ["-rf"] + (wholly ? [root] : try children(of: root)))
                        == 0
                })
            try await load.value
            #expect(await !store.isHealthy())
            await #expect(throws: StorageError.self) { _ = try await store.blobs(after: nil, limit: 10) }
            await #expect(throws: StorageError.self) { try await store.reopen(recreating: false) }
            try await store.reopen(recreating: true)
            #expect(await store.isHealthy())
            #expect(try await store.readIdentity() == nil)
            #expect(try await store.blobs(after: nil, limit: 10).isEmpty)
            _ = try await store.write(name, Body([1, 2, 3]))
            #expect(try await store.bytes(of: name, range: 0..<3) == [1, 2, 3])
            await store.close()
        }
    }

    @Test("reopen in place without losing anything")
    func reopening() async throws {
        try await TemporaryDirectory.with { path in
            let store = try await DirectoryStore.open(path, creating: true, environment: Self.environment)
            for round in 0..<5 {
                let name = BlobName(epoch: 1, counter: UInt64(round), random: 1)
                _ = try await store.write(name, Body([UInt8](repeating: 1, count: round * 50_000)))
                try await store.reopen(recreating: false)
                #expect(try await store.blobs(after: nil, limit: 10).count == round + 1)
            }
            await #expect(throws: StorageError.self) {
                _ = try await DirectoryStore.open(path, creating: false, environment: Self.environment)
            }
            await store.close()
        }
    }

    @Test(
        "say that they are full, and have room again after a deletion",
        .enabled("only root can mount the small disk that this test fills") { try await SmallDisk.isPossible() })
    func full() async throws {
        try await SmallDisk.with(megabytes: 24) { path in
            let store = try await DirectoryStore.open(
                path, creating: true, environment: Self.environment, segmentBytes: 1 << 20)
            for length in [2_000_000, 60_000] {
                var written: [BlobName] = []
                var failure: StorageError?
                for counter in 0..<1000 where failure == nil {
                    let name = BlobName(epoch: UInt32(length), counter: UInt64(counter), random: 1)
                    do throws(StorageError) {
                        _ = try await store.write(name, Body([UInt8](repeating: 1, count: length)))
                        written.append(name)
                    } catch {
                        failure = error
                    }
                }
                guard case .full = failure else {
                    Issue.record("The full disk was reported as \(String(describing: failure)).")
                    return
                }
                for name in written {
                    #expect(try await store.bytes(of: name, range: 0..<Int64(length)).count == length)
                }
                #expect(await store.isHealthy())
                for name in written { try await store.delete(name) }
                let name = BlobName(epoch: 1, counter: UInt64(length), random: 1)
                _ = try await store.write(name, Body([UInt8](repeating: 1, count: length)))
                try await store.delete(name)
            }
            await store.close()
        }
    }

    private func children(of path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).map { "\(path)/\($0)" }
    }
}
