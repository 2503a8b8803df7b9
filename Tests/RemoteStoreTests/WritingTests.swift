import Cryptography
import NIOCore
import Primitives
import RemoteStore
import Storage
import Synchronization
import Testing
import TidegateTesting

@Suite struct WritingTests {
    typealias Answer = ScriptedServer.Answer

    /// What a write comes to, with what the server saw. Bodies above 1 KiB go out in parts of 4 KiB.
    private func write(
        _ body: sending (length: Int64?, source: any BodySource), _ script: @escaping ScriptedServer.Script
    ) async throws -> (error: StorageError?, requests: [ScriptedServer.Request], left: Int) {
        var outcome: (StorageError?, [ScriptedServer.Request], Int)?
        try await ScriptedServer.with(script) { server in
            let store = try server.store {
                $0.bufferedBytes = 1024
                $0.partBytes = 4096
            }
            var failed: StorageError?
            do throws(StorageError) {
                _ = try await store.write(someName, Body(length: body.length, source: body.source))
            } catch {
                failed = error
            }
            outcome = (failed, server.requests, store.takeUploadsLeftBehind().count)
        }
        return try #require(outcome)
    }

    private func write(
        _ bytes: Int, _ script: @escaping ScriptedServer.Script
    ) async throws -> (error: StorageError?, requests: [ScriptedServer.Request], left: Int) {
        try await write((Int64(bytes), BufferedSource(buffers(bytes))), script)
    }

    private func buffers(_ count: Int) -> [ByteBuffer] {
        stride(from: 0, to: count, by: 700).map { start in
            ByteBuffer(bytes: (start..<min(start + 700, count)).map { UInt8(truncatingIfNeeded: $0 >> 3) })
        }
    }

    /// A server that takes uploads, but for what another script answers.
    private func taking(
        _ other: @escaping @Sendable (String, ScriptedServer.Request) -> Answer? = { _, _ in nil }
    ) -> ScriptedServer.Script {
        { request in
            let step = Self.step(of: request)
            if let answer = other(step, request) { return answer }
            return switch step {
            case "create":
                .status(
                    200, [], "<InitiateMultipartUploadResult><UploadId>u/1</UploadId></InitiateMultipartUploadResult>")
            case "complete": .status(200, [], "<CompleteMultipartUploadResult/>")
            case "abort": .status(204)
            default: .status(200, ["ETag: \"\(request.body.count)\""])
            }
        }
    }

    private static func step(of request: ScriptedServer.Request) -> String {
        switch (request.method, request.target.contains("uploadId=u%2F1")) {
        case ("POST", false): "create"
        case ("POST", true): "complete"
        case ("DELETE", true): "abort"
        case ("PUT", true): "part"
        case ("HEAD", _): "head"
        default: "put"
        }
    }

    private func steps(_ requests: [ScriptedServer.Request]) -> [String] { requests.map(Self.step) }

    @Test func sendsASmallBlobWithItsHash() async throws {
        let (error, requests, _) = try await write(1000, taking())
        #expect(error == nil)
        let request = try #require(requests.first)
        #expect(request.method == "PUT" && request.target == "/bucket/pool/blobs/\(someName)")
        #expect(request.body == buffers(1000).flatMap { Array($0.readableBytesView) })
        #expect(request.values("x-amz-content-sha256") == [Hex.encode(Digest.hash(.sha256, request.body))])
        #expect(request.values("content-length") == ["1000"])
        #expect(request.values("expect").isEmpty && request.values("transfer-encoding").isEmpty)
    }

    @Test(arguments: [Int64?.none, 10_000]) func sendsALongBlobInParts(_ length: Int64?) async throws {
        let (error, requests, _) = try await write((length, BufferedSource(buffers(10_000))), taking())
        #expect(error == nil)
        #expect(steps(requests) == ["create", "part", "part", "part", "complete"])
        let parts = requests.filter { Self.step(of: $0) == "part" }
        #expect(parts.map(\.body.count) == [4096, 4096, 1808])
        #expect(parts.flatMap(\.body) == buffers(10_000).flatMap { Array($0.readableBytesView) })
        for part in parts {
            #expect(part.values("x-amz-content-sha256") == [Hex.encode(Digest.hash(.sha256, part.body))])
        }
        let document = String(decoding: try #require(requests.last).body, as: UTF8.self)
        #expect(document.contains("<PartNumber>3</PartNumber><ETag>&quot;1808&quot;</ETag>"))
    }

    @Test(arguments: [4096, 8192]) func aLastPartMayBeFull(_ count: Int) async throws {
        let (error, requests, _) = try await write((nil, BufferedSource(buffers(count))), taking())
        #expect(error == nil)
        #expect(
            requests.filter { Self.step(of: $0) == "part" }.map(\.body.count)
                == Array(repeating: 4096, count: count / 4096))
    }

    @Test(arguments: [0, 600, 5000]) func aBodyThatFailsIsNotPublished(_ count: Int) async throws {
        let source = FailingSource(after: buffers(count), BodyError(.checksumMismatch, "Wrong."))
        let (error, requests, left) = try await write((Int64(count), source), taking())
        #expect(error?.source == .checksumMismatch)
        #expect(!steps(requests).contains("complete") && !steps(requests).contains("put"))
        #expect(steps(requests).contains("abort") == (count == 5000))
        #expect(left == 0)
    }

    @Test(arguments: [
        (500, Int64(501), BodyError.Kind.incomplete), (500, 499, .tooLarge), (9000, 9001, .incomplete),
        (9000, 8999, .tooLarge),
    ])
    func aBodyOfAnotherLengthIsNotPublished(_ count: Int, _ announced: Int64, _ kind: BodyError.Kind) async throws {
        let (error, requests, _) = try await write((announced, BufferedSource(buffers(count))), taking())
        #expect(error?.source == kind)
        #expect(!steps(requests).contains("complete") && !steps(requests).contains("put"))
    }

    @Test func makesASmallWriteAgain() async throws {
        let calls = Counter()
        let (error, requests, _) = try await write(100) { _ in
            let call = calls.next()
            return [1: .nothing, 2: .error(500, "InternalError"), 3: .error(503, "SlowDown")][call] ?? .status(200)
        }
        #expect(error == nil)
        #expect(requests.map(\.body.count) == [100, 100, 100, 100])
    }

    @Test("A document where S3 has none is no success", arguments: ["put", "part"])
    func anAnswerMayFailBehindItsStatus(_ step: String) async throws {
        let bytes = step == "put" ? 100 : 5000
        for (document, detail) in [
            ("<Error><Code>AccessDenied</Code></Error>", "status 200 AccessDenied"),
            ("<!DOCTYPE html><html/>", "it answered with a document where S3 has none"),
            ("<Other/>", "it answered with a document where S3 has none"),
        ] {
            let answer = Answer.status(200, ["ETag: \"1\""], document)
            let (error, requests, left) = try await write(
                bytes, taking { seen, _ in seen == step ? answer : seen == "head" ? .status(404) : nil })
            let operation = step == "put" ? "PutObject" : "UploadPart"
            #expect(error?.unavailable == "backend-7: \(operation): \(detail)")
            #expect(!steps(requests).contains("complete") && left == 0)
        }
    }

    @Test func whatIsThereInSpiteOfItsAnswerIsWritten() async throws {
        for document in ["<Error><Code>InternalError</Code></Error>", "<html/>"] {
            let (error, requests, _) = try await write(
                100,
                taking { step, _ in
                    switch step {
                    case "put": .status(200, [], document)
                    case "head": Answer("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n")
                    default: nil
                    }
                })
            #expect(error == nil)
            #expect(steps(requests).last == "head")
        }
    }

    @Test func doesNotRepeatWhatIsRefused() async throws {
        let (error, requests, _) = try await write(100) { _ in .error(403, "AccessDenied") }
        #expect(error?.unavailable == "backend-7: PutObject: status 403 AccessDenied (request R1)")
        #expect(requests.count == 1)
    }

    @Test(arguments: [(507, "X"), (400, "QuotaExceeded"), (507, "XMinioStorageFull")])
    func tellsAFullBackend(_ status: Int, _ code: String) async throws {
        #expect(try await write(100) { _ in .error(status, code) }.error?.isFull == true)
    }

    @Test func asksWhatBecameOfAWriteWithoutAnAnswer() async throws {
        func outcome(_ head: Answer) async throws -> StorageError? {
            try await write(100) { $0.method == "HEAD" ? head : .nothing }.error
        }
        #expect(try await outcome(Answer("HTTP/1.1 200 X\r\nContent-Length: 100\r\n\r\n")) == nil)
        #expect(try await outcome(Answer("HTTP/1.1 200 X\r\nContent-Length: 99\r\n\r\n"))?.unavailable != nil)
        #expect(try await outcome(.status(404))?.unavailable != nil)
    }

    @Test func aPartIsSentAgain() async throws {
        let calls = Counter()
        let (error, requests, left) = try await write(
            5000,
            taking { step, _ in
                guard step == "part", calls.next() == 2 else { return nil }
                return .error(500, "InternalError")
            })
        #expect(error == nil)
        #expect(steps(requests) == ["create", "part", "part", "part", "complete"])
        #expect(left == 0)
    }

    @Test func theNextPartIsTakenWhileOneIsSent() async throws {
        let source = CountedSource(buffers(12_000))
        try await ScriptedServer.with(taking { step, _ in step == "part" ? .silence : nil }) { server in
            let store = try server.store { ($0.bufferedBytes, $0.partBytes) = (1024, 4096) }
            let writing = Task {
                await failure { () throws(StorageError) in
                    _ = try await store.write(someName, Body(length: 12_000, source: source))
                }
            }
            let isTaken = try await eventually { source.bytes >= 8192 && server.requests.count >= 2 }
            #expect(isTaken)
            writing.cancel()
            let error = await writing.value
            #expect(error?.source == .cancelled)
            #expect(steps(server.requests) == ["create", "part", "abort"])
            #expect(source.bytes < 12_000)
        }
    }

    @Test func anUploadIsNotBegunTwice() async throws {
        let (error, requests, _) = try await write(5000, taking { step, _ in step == "create" ? .nothing : nil })
        #expect(error?.unavailable != nil)
        #expect(steps(requests) == ["create"])
    }

    @Test(arguments: [Answer.status(200), .status(200, ["ETag: a b"]), .error(403, "AccessDenied")])
    func anUploadWhosePartFailsIsAborted(_ answer: Answer) async throws {
        let (error, requests, left) = try await write(5000, taking { step, _ in step == "part" ? answer : nil })
        #expect(error?.unavailable?.hasPrefix("backend-7: UploadPart: ") == true)
        #expect(steps(requests) == ["create", "part", "abort"])
        #expect(left == 0)
    }

    @Test func remembersWhatCannotBeAborted() async throws {
        let (_, _, left) = try await write(
            5000, taking { step, _ in step == "part" || step == "abort" ? .error(403, "AccessDenied") : nil })
        #expect(left == 1)
    }

    @Test func aCompletionMayFailBehindItsStatus() async throws {
        let failed = Answer.status(200, [], "<?xml version=\"1.0\"?>\n\n<Error><Code>InvalidPart</Code></Error>")
        let (error, requests, _) = try await write(5000, taking { step, _ in step == "complete" ? failed : nil })
        #expect(error?.unavailable == "backend-7: CompleteMultipartUpload: status 200 InvalidPart")
        #expect(steps(requests) == ["create", "part", "part", "complete", "abort"])
    }

    @Test(arguments: ["InternalError", "SlowDown"]) func aCompletionIsMadeAgain(_ code: String) async throws {
        let calls = Counter()
        let failed = Answer.status(200, [], "<Error><Code>\(code)</Code></Error>")
        let (error, requests, _) = try await write(
            5000,
            taking { step, _ in step == "complete" && calls.next() == 1 ? failed : nil })
        #expect(error == nil)
        #expect(steps(requests).suffix(2) == ["complete", "complete"])
    }

    @Test func asksWhatBecameOfACompletionWithoutAnAnswer() async throws {
        func outcome(_ head: Answer) async throws -> (StorageError?, [String]) {
            let calls = Counter()
            let (error, requests, _) = try await write(
                5000,
                taking { step, _ in
                    if step == "head" { return head }
                    guard step == "complete" else { return nil }
                    // The first was taken, and its answer lost: then there is no upload any more.
                    return calls.next() == 1 ? .nothing : .error(404, "NoSuchUpload")
                })
            return (error, steps(requests))
        }
        let (done, made) = try await outcome(Answer("HTTP/1.1 200 X\r\nContent-Length: 5000\r\n\r\n"))
        #expect(done == nil)
        #expect(made.last == "head")
        #expect(try await outcome(.status(404)).0?.unavailable != nil)
    }

    @Test func anUploadThatBeginsDuringACancellationIsAborted() async throws {
        try await ScriptedServer.with(taking()) { server in
            let store = try server.store { $0.bufferedBytes = 1024 }
            let task = Task {
                // Safe: the task cancels itself, and does not keep the handle.
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                return try await store.write(someName, Body(length: nil, source: BufferedSource(buffers(5000))))
            }
            do {
                _ = try await task.value
                Issue.record("It succeeded.")
            } catch {
                #expect((error as? StorageError)?.source == .cancelled)
            }
            #expect(steps(server.requests).first == "create" && steps(server.requests).last == "abort")
            #expect(!steps(server.requests).contains("complete"))
        }
    }

    @Test func aCancelledUploadIsAborted() async throws {
        try await ScriptedServer.with(taking { step, _ in step == "part" ? .silence : nil }) { server in
            let store = try server.store { $0.bufferedBytes = 1024 }
            let task = Task {
                try await store.write(someName, Body(length: nil, source: BufferedSource(buffers(5000))))
            }
            #expect(try await eventually { server.requests.count == 2 })
            task.cancel()
            do {
                _ = try await task.value
                Issue.record("It succeeded.")
            } catch {
                #expect((error as? StorageError)?.source == .cancelled)
            }
            #expect(steps(server.requests) == ["create", "part", "abort"])
            #expect(store.takeUploadsLeftBehind().isEmpty)
        }
    }
}

/// Gives buffers, and tells how much it has given.
private final class CountedSource: BodySource, Sendable {
    private let state: Mutex<(rest: [ByteBuffer], bytes: Int)>

    init(_ buffers: [ByteBuffer]) {
        state = Mutex((buffers.reversed(), 0))
    }

    var bytes: Int { state.withLock { $0.bytes } }

    func next() async throws(BodyError) -> ByteBuffer? {
        state.withLock { state in
            let buffer = state.rest.popLast()
            state.bytes += buffer?.readableBytes ?? 0
            return buffer
        }
    }
}
