import NIOCore
import Primitives
import Simulation
import Storage
import Testing
import TidegateTesting

/// What clients see when stores, index or bodies fail: an error, and never anything by halves.
@Suite("Failures")
struct FailureTests {
    @Test("With one store gone everything goes on; with too few, writes are refused and nothing is visible")
    func stores() async throws {
        let harness = try await GatewayHarness(data: 4, parity: 2)
        try await harness.root.put("/bucket")
        let bytes = harness.environment.randomBytes(150_000)
        for (key, size) in [("large", 150_000), ("small", 100)] {
            try await harness.root.put("/bucket/\(key)", Content(Array(bytes.prefix(size))))
        }
        for gone in 0..<6 {
            harness.stores[gone].isAvailable = false
            harness.stores[(gone + 1) % 6].isAvailable = false
            #expect(try await harness.root.get("/bucket/large").body == bytes)
            #expect(try await harness.root.get("/bucket/small").body == Array(bytes.prefix(100)))
            harness.stores[(gone + 1) % 6].isAvailable = true
            #expect(try await harness.root.put("/bucket/new-\(gone)", "x").status == 200)
            #expect(try await harness.root.put("/bucket/new-long-\(gone)", Content(bytes)).status == 200)
            harness.stores[gone].isAvailable = true
        }
        let before = try await harness.contents()
        for gone in 0..<5 { harness.stores[gone].isAvailable = false }
        for size in [10, 150_000] {
            for key in ["other", "large", "small"] {
                let refused = try await harness.root.put("/bucket/\(key)", Content(Array(bytes.prefix(size))))
                #expect(refused.outcome == "503 ServiceUnavailable", "\(key) \(size)")
            }
            #expect(try await harness.root.copy("bucket/large", to: "/bucket/copy").status >= 500)
        }
        #expect(try await harness.contents() == before)
        #expect(try await harness.root.get("/bucket/large").outcome == "503 ServiceUnavailable")
        #expect(try await harness.root.head("/bucket/large").status == 200, "the index alone knows that")
        for gone in 0..<5 { harness.stores[gone].isAvailable = true }
        #expect(try await harness.root.get("/bucket/large").body == bytes)
        try await IndexLaws.check(harness)
    }

    @Test("A copy whose source cannot be read for now is to be tried again", arguments: [100, 150_000])
    func copyOfWhatIsAway(_ size: Int) async throws {
        let harness = try await GatewayHarness(data: 4, parity: 2)
        try await harness.root.put("/bucket")
        try await harness.root.put("/bucket/key", Content(harness.environment.randomBytes(size)))
        let before = try await harness.contents()
        for store in harness.stores { store.follow(.every(.read, .failBefore(.unavailable("by the test")))) }
        let refused = try await harness.root.copy("bucket/key", to: "/bucket/copy")
        #expect(refused.outcome == "503 ServiceUnavailable")
        for store in harness.stores { store.follow(.none) }
        #expect(try await harness.contents() == before)
    }

    @Test("Whichever call of whichever store fails, a write is whole or not there", arguments: [10, 20_000, 300_000])
    func everyCall(_ size: Int) async throws {
        let harness = try await GatewayHarness.withBucket()
        let bytes = harness.environment.randomBytes(size)
        let faults: [StoreFault] = [
            .failBefore(.unavailable("by the test")), .failAfter(.unavailable("by the test")), .failBefore(.full),
        ]
        for (round, fault) in faults.enumerated() {
            for stores in [[0], [0, 1], [0, 1, 2]] {
                for ordinal in 1...3 {
                    for store in stores { harness.stores[store].follow(.call(ordinal, fault)) }
                    let key = "/bucket/\(round)-\(stores.count)-\(ordinal)"
                    let stored = try await harness.root.put(key, Content(bytes))
                    for store in harness.stores { store.follow(.none) }
                    #expect([200, 503].contains(stored.status), "\(stored)")
                    let got = try await harness.root.get(key)
                    if stored.status == 200 {
                        #expect(got.body == bytes)
                    } else {
                        #expect(got.outcome == "404 NoSuchKey")
                    }
                }
            }
        }
        try await IndexLaws.check(harness)
    }

    @Test("No wrong byte leaves: damage is made good, and beyond that the read fails")
    func damage() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bytes = harness.environment.randomBytes(300_000)
        for (key, size) in [("large", 300_000), ("small", 20_000)] {
            try await harness.root.put("/bucket/\(key)", Content(Array(bytes.prefix(size))))
        }
        for damaged in [[0], [0, 1], [0, 1, 2]] {
            for offset in [0, 600, 5000] {
                for store in damaged { harness.stores[store].follow(.every(.read, .flipBit(at: Int64(offset)))) }
                for (key, size) in [("large", 300_000), ("small", 20_000)] {
                    let got = try await harness.root.get("/bucket/\(key)")
                    if got.status == 200 {
                        #expect(bytes.prefix(size).starts(with: got.body))
                        #expect(got.isAborted == (got.body.count < size))
                    } else {
                        #expect([500, 503].contains(got.status))
                        #expect(!got.text.contains("cell"), "the reason is for the operator")
                    }
                    if damaged.count == 1 { #expect(got.body.count == size && !got.isAborted) }
                }
                for store in harness.stores { store.follow(.none) }
            }
        }
        #expect(try await harness.root.get("/bucket/large").body == bytes)
    }

    @Test("A read that fails in the middle resets the connection, and never ends short")
    func midway() async throws {
        let harness = try await GatewayHarness.withBucket(cell: 64 << 10)
        let bytes = [UInt8](repeating: 0x61, count: 6 << 20)
        _ = try await harness.root.send("PUT", "/bucket/key", [:], Content(bytes), payload: .unsigned)
        for store in harness.stores { store.follow(.every(.read, .truncate(2 << 20))) }
        let got = try await harness.root.get("/bucket/key")
        #expect(got.status == 200)
        #expect(got.isAborted)
        #expect(!got.body.isEmpty && got.body.count < bytes.count)
        #expect(bytes.starts(with: got.body))
        let record = try #require(try await harness.records().first { $0.name == "GetObject" })
        #expect(record.error != nil)
    }

    @Test("Without the index every request is answered with 503, and nothing is stored for it")
    func index() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        let calls = try await WriteCall.all(harness)
        let before = try await harness.contents()
        let alice = harness.client("alice")
        harness.index.isAvailable = false
        // The list that every bucket has is accepted without a change.
        for call in calls where call.name != "PutBucketAcl" {
            let refused = try await call.send(by: alice)
            #expect(refused.outcome == "503 ServiceUnavailable", "\(call.name): \(refused)")
        }
        for target in [
            "/", "/bucket", "/bucket?list-type=2", "/bucket?versions", "/bucket?uploads", "/bucket/key",
            "/bucket/key?tagging", "/bucket?policy", "/bucket?location",
        ] {
            let refused = try await alice.get(target)
            #expect(refused.outcome == "503 ServiceUnavailable", "\(target)")
            #expect(!refused.text.contains("made unavailable"))
            #expect(try await harness.anonymous.get(target).status == (target == "/" ? 403 : 503), "\(target)")
        }
        harness.index.isAvailable = true
        #expect(try await harness.contents() == before)
        #expect(try await alice.get("/bucket/key").text == "content")
        try await IndexLaws.check(harness)
    }

    @Test("A body that fails leaves nothing behind", arguments: BodyError.Kind.allCases)
    func bodies(_ kind: BodyError.Kind) async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "before")
        let upload = try await harness.root.startUpload("/bucket/key")
        let before = try await harness.contents()
        for size in [0, 10, 200_000] {
            for target in ["/bucket/key", "/bucket/key?partNumber=1&uploadId=\(upload)"] {
                var (head, _) = try harness.root.signed("PUT", target, [:], "", payload: .unsigned)
                head.fields["content-length"] = String(size + 1)
                let buffers = S3Client.pieces([UInt8](repeating: 1, count: size))
                let source = FailingSource(after: buffers, BodyError(kind, "by the test"))
                let refused = await harness.handle(head, Body(length: Int64(size + 1), source: source))
                #expect((400..<504).contains(refused.status) && refused.code != nil, "\(refused)")
                #expect([.storage, .storageAway].contains(kind) == (refused.status >= 500))
            }
        }
        #expect(try await harness.contents() == before)
        #expect(try await harness.root.get("/bucket/key").text == "before")
        #expect(try await harness.root.get("/bucket/key?uploadId=\(upload)").texts("Part/Size").isEmpty)
    }

    @Test("A body that is shorter or longer than it says is no object")
    func lengths() async throws {
        let harness = try await GatewayHarness.withBucket()
        let before = try await harness.contents()
        for (sent, announced, outcome) in [
            (5, 6, "400 IncompleteBody"), (0, 1, "400 IncompleteBody"), (7, 6, "400 EntityTooLarge"),
            (200_000, 200_001, "400 IncompleteBody"), (200_001, 200_000, "400 EntityTooLarge"),
        ] {
            var (head, _) = try harness.root.signed("PUT", "/bucket/key", [:], "", payload: .unsigned)
            head.fields["content-length"] = String(announced)
            let source = BufferedSource(S3Client.pieces([UInt8](repeating: 1, count: sent)))
            let refused = await harness.handle(head, Body(length: nil, source: source))
            #expect(refused.outcome == outcome)
        }
        for payload in [S3Client.Payload.signedChunks, .unsignedChunksWithTrailer] {
            for announced in ["4", "6"] {
                let refused = try await harness.root.send(
                    "PUT", "/bucket/key", ["x-amz-decoded-content-length": announced], "hello", payload: payload)
                #expect(refused.status == 400)
            }
        }
        #expect(try await harness.contents() == before)
    }

    @Test("A gateway whose epoch has ended changes nothing any more")
    func fenced() async throws {
        let harness = try await GatewayHarness.withBucket()
        let calls = try await WriteCall.all(harness)
        try await harness.endEpoch()
        let before = try await harness.contents()
        for call in calls where !["PutObjectAcl", "PutBucketAcl", "DeleteObjects"].contains(call.name) {
            let refused = try await call.send(by: harness.root)
            #expect(refused.outcome == "503 ServiceUnavailable", "\(call.name): \(refused)")
        }
        #expect(try await harness.contents() == before)
        #expect(try await harness.root.get("/bucket/key").text == "content")
    }

    @Test("A request that is cancelled leaves all or nothing")
    func cancelled() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bytes = harness.environment.randomBytes(200_000)
        for round in 0..<20 {
            let body = Content(round.isMultiple(of: 2) ? bytes : Array(bytes.prefix(100)))
            let task = Task { try await harness.root.put("/bucket/\(round)", body) }
            for _ in 0..<round { await Task.yield() }
            task.cancel()
            _ = await task.result
            let got = try await harness.root.get("/bucket/\(round)")
            #expect(got.status == 404 || got.body == body.bytes)
        }
        try await IndexLaws.check(harness)
    }
}
