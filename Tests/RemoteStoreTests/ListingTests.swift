import NIOCore
import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

@Suite struct ListingTests {
    typealias Answer = ScriptedServer.Answer

    private static let names = (1...9).map { BlobName(epoch: 1, counter: UInt64($0), random: 7) }

    /// A page of entries, each of the size of its place.
    private func page(_ keys: [String], next: String? = nil) -> Answer {
        let contents = keys.enumerated().map { index, key in
            "<Contents><Key>\(key)</Key><Size>\(index)</Size></Contents>"
        }
        let more = next.map { "<NextContinuationToken>\($0)</NextContinuationToken>" } ?? ""
        return .status(
            200, [],
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>\(next != nil)</IsTruncated>\(more)"
                + "\(contents.joined())</ListBucketResult>")
    }

    private func key(_ index: Int) -> String { "pool/blobs/\(Self.names[index])" }

    @Test func asksForWhatFollows() async throws {
        let pages = [page([key(3), key(4)], next: "t/1"), page([key(5)])]
        let calls = Counter()
        try await ScriptedServer.with { _ in
            pages[calls.next() - 1]
        } use: { server in
            let blobs = try await server.store().blobs(after: Self.names[2], limit: 10)
            #expect(blobs.map(\.name) == Array(Self.names[3...5]))
            #expect(blobs.map(\.length) == [0, 1, 0])
            let query = "/bucket?list-type=2&encoding-type=url&max-keys="
            let prefix = "&prefix=pool%2Fblobs%2F"
            #expect(
                server.requests.map(\.target) == [
                    "\(query)10\(prefix)&start-after=pool%2Fblobs%2F\(Self.names[2])",
                    "\(query)8\(prefix)&continuation-token=t%2F1",
                ])
        }
    }

    @Test func givesNoMoreThanWasAskedFor() async throws {
        try await ScriptedServer.with { _ in
            page((0..<9).map(key), next: "t")
        } use: { server in
            let store = try server.store()
            #expect(try await store.blobs(after: nil, limit: 4).map(\.name) == Array(Self.names[0..<4]))
            #expect(try await store.blobs(after: nil, limit: 0).isEmpty)
            #expect(server.requests.count == 1)
        }
    }

    @Test func passesOverWhatIsNotOurs() async throws {
        let keys = ["pool/blobs/", "pool/blobs/!", "pool/blobs/\(Self.names[0])", "pool/blobs/\(Self.names[0])/x"]
        let foreign = ["pool/blobs/a", "pool/blobs/zz", "pool/blobs/\u{fc}"]
        let pages = [page(keys, next: "t"), page(foreign, next: "u"), page([])]
        let calls = Counter()
        try await ScriptedServer.with { _ in
            pages[calls.next() - 1]
        } use: { server in
            let blobs = try await server.store().blobs(after: nil, limit: 10)
            #expect(blobs.map(\.name) == [Self.names[0]])
            #expect(server.requests.count == 3)
        }
    }

    @Test func namesAListingThatCannotBeRight() async throws {
        let wrong = [
            [page([key(1), key(0)])], [page([key(0), key(0)])], [page(["other/\(Self.names[0])"])],
            [page([key(1)], next: "t"), page([key(0)])], [page([key(1)], next: "t"), page([key(1)], next: "t")],
            [page([], next: "t")], [.status(200, [], "<ListBucketResult/>")], [.status(200, [], "<html>")],
            [.status(200)],
        ]
        for pages in wrong {
            let calls = Counter()
            try await ScriptedServer.with { _ in
                pages[min(calls.next(), pages.count) - 1]
            } use: { server in
                let store = try server.store()
                let error = await failure { () throws(StorageError) in _ = try await store.blobs(after: nil, limit: 10)
                }
                #expect(error?.unavailable?.hasPrefix("backend-7: ListObjectsV2: ") == true)
                #expect(server.requests.count == pages.count)
            }
        }
    }

    @Test func foreignKeysWithoutEndAreNoListing() async throws {
        let calls = Counter()
        try await ScriptedServer.with { _ in
            let call = calls.next()
            let keys = (0..<(call == 1 ? 1 : 1000)).map { "pool/blobs/zz\(1_000_000 + call * 1000 + $0)" }
            return page(keys, next: "t\(call)")
        } use: { server in
            let store = try server.store()
            let error = await failure { () throws(StorageError) in _ = try await store.blobs(after: nil, limit: 3) }
            #expect(
                error?.unavailable == "backend-7: ListObjectsV2: its listing has 10001 keys in a row that are no blobs")
            #expect(server.requests.count == 11)
            #expect(
                server.requests.map { $0.target.contains("max-keys=1000&") } == [false]
                    + Array(repeating: true, count: 10))
        }
    }

    @Test func takesNoListingWithoutEnd() async throws {
        let endless = Answer(Array("HTTP/1.1 200 X\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 6 << 20))
        try await ScriptedServer.with { _ in
            endless
        } use: { server in
            let store = try server.store()
            let error = await failure { () throws(StorageError) in _ = try await store.blobs(after: nil, limit: 10) }
            #expect(error?.unavailable?.contains("more than") == true)
        }
    }

    @Test func deletesWhatIsThereAndWhatIsNot() async throws {
        for answer in [Answer.status(204), .status(200), .error(404, "NoSuchKey")] {
            try await ScriptedServer.with { _ in
                answer
            } use: { server in
                try await server.store().delete(someName)
                #expect(server.requests.map(\.lines.first) == ["DELETE /bucket/pool/blobs/\(someName) HTTP/1.1"])
            }
        }
        for answer in [Answer.error(404, "NoSuchBucket"), .status(404), .error(403, "AccessDenied"), .status(307)] {
            try await ScriptedServer.with { _ in
                answer
            } use: { server in
                let store = try server.store()
                let error = await failure { () throws(StorageError) in try await store.delete(someName) }
                #expect(error?.unavailable?.hasPrefix("backend-7: DeleteObject: status ") == true)
            }
        }
        for document in ["<Error><Code>AccessDenied</Code></Error>", "<html/>", "x"] {
            try await ScriptedServer.with { _ in
                .status(200, [], document)
            } use: { server in
                let store = try server.store()
                let error = await failure { () throws(StorageError) in try await store.delete(someName) }
                #expect(error?.unavailable?.hasPrefix("backend-7: DeleteObject: ") == true)
            }
        }
    }

    @Test func keepsWhoseItIs() async throws {
        let identity = try #require(StoreIdentity(deployment: Array(0..<16), store: Array(16..<32), highWaterMark: 9))
        let text = String(buffer: StoreIdentityText.encode(identity))
        try await ScriptedServer.with {
            $0.method == "GET" ? .status(200, [], text) : .status(200)
        } use: { server in
            let store = try server.store()
            try await store.writeIdentity(identity)
            #expect(String(decoding: try #require(server.requests.first).body, as: UTF8.self) == text)
            #expect(try await store.readIdentity() == identity)
            #expect(Set(server.requests.map(\.target)) == ["/bucket/pool/identity"])
        }
        try await ScriptedServer.with { _ in
            .error(404, "NoSuchKey")
        } use: { server in
            let identity = try await server.store().readIdentity()
            #expect(identity == nil)
        }
        for answer in [
            Answer.error(404, "NoSuchBucket"), .status(404), .status(200, [], String(repeating: "x", count: 5000)),
        ] {
            try await ScriptedServer.with { _ in
                answer
            } use: { server in
                let store = try server.store()
                let error = await failure { () throws(StorageError) in _ = try await store.readIdentity() }
                #expect(error?.unavailable != nil)
            }
        }
    }

    @Test func aStoreThatWasClosedRefuses() async throws {
        try await ScriptedServer.with { _ in
            .status(204)
        } use: { server in
            let store = try server.store()
            store.close()
            let error = await failure { () throws(StorageError) in try await store.delete(someName) }
            #expect(error?.unavailable?.contains("it was closed") == true)
            #expect(server.requests.isEmpty)
        }
    }
}
