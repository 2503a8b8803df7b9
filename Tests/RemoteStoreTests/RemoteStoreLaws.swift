import NIOCore
import Primitives
import RemoteStore
import Signing
import Storage
import Testing
import TidegateTesting

@Suite(.enabled(if: !RemoteServers.endpoints.isEmpty, RemoteServers.missing))
struct RemoteStoreLaws {
    @Test(arguments: RemoteServers.endpoints, BlobStoreLaws.all)
    func hold(_ server: String, _ law: BlobStoreLaw) async throws {
        // Small enough that some blobs of the laws are sent as they come, or in parts.
        try await RemoteServers.withStore(server, { $0.bufferedBytes = 100_000 }) { try await law.check($0, seed: 1) }
    }

    /// Bytes that no compression makes small, by a formula that costs less than a generator.
    private func buffers(_ count: Int) -> [ByteBuffer] {
        var generator = SeededGenerator(seed: UInt64(count))
        let block = generator.bytes(1 << 20)
        return stride(from: 0, to: count, by: block.count).map { start in
            var buffer = ByteBuffer(bytes: block.prefix(count - start))
            buffer.setInteger(UInt64(start), at: 0)
            return buffer
        }
    }

    @Test(arguments: RemoteServers.endpoints, [Int64?.none, 23_000_001])
    func aBlobInPartsIsWhole(_ server: String, _ length: Int64?) async throws {
        var whole = ByteBuffer()
        for buffer in buffers(23_000_001) { whole.writeImmutableBuffer(buffer) }
        let expected = Array(whole.readableBytesView)
        // Also where TLS would let it go out as it comes.
        try await RemoteServers.withStore(server, { ($0.partBytes, $0.streamedBytes) = (5 << 20, 0) }) { store in
            _ = try await store.write(someName, Body(length: length, source: BufferedSource(buffers(23_000_001))))
            let end = Int64(expected.count)
            let part: Int64 = 5 << 20
            let ranges = [0..<end, 0..<1, end - 1..<end, part - 1..<part + 1, 2 * part..<4 * part]
            for range in ranges {
                let bytes = try await store.bytes(of: someName, range: range)
                let isRight = bytes == Array(expected[Int(range.lowerBound)..<Int(range.upperBound)])
                #expect(isRight, "The range \(range) was read wrongly.")
            }
            let listed = try await store.blobs(after: nil, limit: 10)
            #expect(listed == [BlobSummary(name: someName, length: end)])
        }
    }

    @Test(arguments: RemoteServers.endpoints, [Int64?.none, 23_000_001])
    func aLongBodyThatFailsAtItsEndLeavesNothing(_ server: String, _ length: Int64?) async throws {
        try await RemoteServers.withStore(server, { $0.partBytes = 5 << 20 }) { store in
            let source = FailingSource(after: buffers(23_000_001), BodyError(.checksumMismatch, "Wrong."))
            let error = await failure { () throws(StorageError) in
                _ = try await store.write(someName, Body(length: length, source: source))
            }
            #expect(error?.source == .checksumMismatch)
            let listed = try await store.blobs(after: nil, limit: 10)
            #expect(listed.isEmpty)
            let read = await failure { () throws(StorageError) in
                _ = try await store.bytes(of: someName, range: 0..<1)
            }
            #expect(read?.isNotFound == true)
            #expect(store.takeUploadsLeftBehind().isEmpty)
        }
    }

    @Test(arguments: RemoteServers.endpoints) func keepsWhoseItIs(_ server: String) async throws {
        try await RemoteServers.withStore(server) { store in
            let before = try await store.readIdentity()
            #expect(before == nil)
            var identity = try #require(StoreIdentity(deployment: Array(0..<16), store: Array(16..<32)))
            for mark in [1, 2] as [UInt64] {
                identity.highWaterMark = mark
                try await store.writeIdentity(identity)
                let kept = try await store.readIdentity()
                #expect(kept == identity)
            }
            let listed = try await store.blobs(after: nil, limit: 10)
            #expect(listed.isEmpty)
        }
    }

    @Test(arguments: RemoteServers.endpoints) func wrongCredentialsAreTheStoresFault(_ server: String) async throws {
        try await RemoteServers.withStore(server) { store in
            _ = try await store.write(someName, Body(Array("a".utf8)))
            try await RemoteServers.withStore(server) { other in
                other.use(SigningCredentials(accessKeyID: "NOBODYATALL12345", secret: SecretKey("wrong")))
                let error = await failure { () throws(StorageError) in try await other.delete(someName) }
                #expect(error?.unavailable?.contains("DeleteObject: status 403") == true)
                other.use(try RemoteServers.credentials())
            }
        }
    }
}
