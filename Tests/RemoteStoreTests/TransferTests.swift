import Foundation
import NIOCore
import NIOSSL
import Primitives
import Testing
import TidegateTesting

@testable import RemoteStore

@Suite struct TransferTests {
    private func request(
        _ server: ScriptedServer, _ method: String = "GET", _ target: String = "/a", length: Int64? = nil,
        scheme: String = "http"
    ) -> TransferRequest {
        let origin = "\(scheme)://127.0.0.1:\(server.port)"
        var fields: HeaderFields = ["host": "127.0.0.1:\(server.port)", "x-amz-date": "today"]
        if let length { fields["content-length"] = String(length) }
        return TransferRequest(
            origin: origin, head: RequestHead(method: method, target: target, fields: fields), contentLength: length)
    }

    private func engine(
        _ settings: TransferSettings = TransferSettings(), _ environment: any Environment = SystemEnvironment()
    ) throws -> TransferEngine {
        try #require(TransferEngine(settings, environment: environment))
    }

    private func collect(_ transfer: Transfer) async throws(TransferError) -> [UInt8] {
        var bytes: [UInt8] = []
        while let next = try await transfer.next() { bytes += next.readableBytesView }
        return bytes
    }

    @Test func sendsWhatItIsGivenAndNothingElse() async throws {
        try await ScriptedServer.with { _ in
            .status(200, ["X-B: c"], "hello")
        } use: { server in
            let engine = try engine()
            let transfer = engine.start(request(server, "PUT", "/a/../b?c=%20", length: 10))
            #expect(await transfer.send(ByteBuffer(string: "01234")))
            #expect(await transfer.send(ByteBuffer(string: "56789")))
            transfer.finishSending()
            #expect(try await transfer.head().fields["x-b"] == "c")
            #expect(try await collect(transfer) == Array("hello".utf8))
            #expect(transfer.hasSentAll)
            let seen = try #require(server.requests.first)
            #expect(seen.lines.first == "PUT /a/../b?c=%20 HTTP/1.1")
            #expect(
                seen.lines.dropFirst().map { $0.lowercased() }.sorted() == [
                    "content-length: 10", "host: 127.0.0.1:\(server.port)", "x-amz-date: today",
                ])
            #expect(seen.body == Array("0123456789".utf8))
        }
    }

    @Test(arguments: ["GET", "HEAD", "DELETE"]) func sendsRequestsWithoutABody(_ method: String) async throws {
        try await ScriptedServer.with { request in
            request.method == "HEAD"
                ? ScriptedServer.Answer("HTTP/1.1 200 X\r\nContent-Length: 7\r\n\r\n") : .status(204)
        } use: { server in
            let transfer = try engine().start(request(server, method))
            #expect(try await transfer.head().status == (method == "HEAD" ? 200 : 204))
            #expect(try await collect(transfer).isEmpty)
            let seen = try #require(server.requests.first)
            #expect(seen.method == method)
            #expect(seen.values("content-length").isEmpty)
            #expect(seen.values("transfer-encoding").isEmpty)
        }
    }

    @Test func anEmptyBodyHasALength() async throws {
        try await ScriptedServer.with { _ in
            .status(200)
        } use: { server in
            let transfer = try engine().start(request(server, "POST", length: 0))
            transfer.finishSending()
            #expect(try await transfer.head().status == 200)
            let seen = try #require(server.requests.first)
            #expect(seen.method == "POST")
            #expect(seen.values("content-length") == ["0"])
        }
    }

    @Test func usesAConnectionAgain() async throws {
        try await ScriptedServer.with { _ in
            .status(200, [], "a")
        } use: { server in
            let engine = try engine()
            for _ in 0..<5 {
                let transfer = engine.start(request(server))
                #expect(try await collect(transfer) == [UInt8(ascii: "a")])
            }
            #expect(server.connections.opened == 1)
        }
    }

    @Test func boundsConnections() async throws {
        try await ScriptedServer.with { _ in
            .status(200, [], "a")
        } use: { server in
            var settings = TransferSettings()
            settings.transferLimit = 3
            let engine = try engine(settings)
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        let transfer = engine.start(request(server))
                        let bytes = try await collect(transfer)
                        #expect(bytes.count == 1)
                    }
                }
                try await group.waitForAll()
            }
            #expect(server.requests.count == 40)
            #expect((1...3).contains(server.connections.opened))
        }
    }

    @Test func followsNoRedirect() async throws {
        try await ScriptedServer.with { _ in
            .status(307, ["Location: http://127.0.0.1:1/elsewhere"])
        } use: { server in
            let transfer = try engine().start(request(server))
            #expect(try await transfer.head().status == 307)
            #expect(try await collect(transfer).isEmpty)
            #expect(server.requests.count == 1)
        }
    }

    @Test func movesManyBytesBothWays() async throws {
        let bytes = (0..<5_000_000).map { UInt8(truncatingIfNeeded: $0 &* 31 >> 3) }
        try await ScriptedServer.with { request in
            let head = "HTTP/1.1 200 OK\r\nContent-Length: \(request.body.count)\r\n\r\n"
            return ScriptedServer.Answer(Array(head.utf8) + request.body)
        } use: { server in
            let transfer = try engine().start(request(server, "PUT", length: Int64(bytes.count)))
            for start in stride(from: 0, to: bytes.count, by: 300_000) {
                let piece = bytes[start..<min(start + 300_000, bytes.count)]
                #expect(await transfer.send(ByteBuffer(bytes: piece)))
            }
            transfer.finishSending()
            #expect(try await collect(transfer) == bytes)
        }
    }

    @Test func anEarlyAnswerEndsTheSending() async throws {
        try await ScriptedServer.with(onHead: { _ in
            ScriptedServer.Answer("HTTP/1.1 403 X\r\nContent-Length: 2\r\nConnection: close\r\n\r\nno", closes: true)
        }) { _ in
            .nothing
        } use: { server in
            let transfer = try engine().start(request(server, "PUT", length: 1 << 30))
            let piece = ByteBuffer(repeating: 1, count: 1 << 20)
            var sent = 0
            while await transfer.send(piece) { sent += 1 }
            #expect(sent < 1024)
            #expect(!transfer.hasSentAll)
            // A reset may overtake the answer; what counts is that nothing hangs, and that no success comes of it.
            do throws(TransferError) {
                #expect(try await transfer.head().status == 403)
            } catch {
                #expect(error.mayHaveTakenEffect)
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "", "HTTP/1.1 200 OK\r\nContent-Le",
    ])
    func noticesAnAnswerThatBreaksOff(_ answer: String) async throws {
        try await ScriptedServer.with { _ in
            ScriptedServer.Answer(answer, closes: true)
        } use: { server in
            let transfer = try engine().start(request(server))
            await #expect(throws: TransferError.self) {
                _ = try await transfer.head()
                _ = try await collect(transfer)
            }
        }
    }

    @Test(arguments: [
        "HTTP/1.1 200 OK\r\nX-A: \(String(repeating: "x", count: 40_000))\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\((0..<200).map { "X-\($0): 1\r\n" }.joined())\r\n", "SSH-2.0-OpenSSH\r\n\r\n",
    ])
    func refusesHeadsThatAreNone(_ answer: String) async throws {
        try await ScriptedServer.with { _ in
            ScriptedServer.Answer(answer, closes: true)
        } use: { server in
            let transfer = try engine().start(request(server))
            await #expect(throws: TransferError.self) { _ = try await transfer.head() }
        }
    }

    @Test func tellsThatNothingListens() async throws {
        var port = 0
        try await ScriptedServer.with { _ in
            .nothing
        } use: {
            port = $0.port
        }
        let head = RequestHead(method: "GET", target: "/", fields: ["host": "127.0.0.1"])
        let transfer = try engine().start(TransferRequest(origin: "http://127.0.0.1:\(port)", head: head))
        await #expect {
            _ = try await transfer.head()
        } throws: { error in
            if case TransferError.notConnected = error { true } else { false }
        }
    }

    @Test(arguments: ["a\r\nx-injected: b", "a\nb", "a\0b"]) func sendsNoControlCharacters(_ value: String) async throws
    {
        try await ScriptedServer.with { _ in
            .status(200)
        } use: { server in
            var request = request(server)
            request.head.fields["x-amz-meta-a"] = value
            let transfer = try engine().start(request)
            await #expect(throws: TransferError.self) { _ = try await transfer.head() }
            #expect(server.requests.isEmpty)
        }
    }

    @Test func aCancelledTaskFreesItsTransfer() async throws {
        try await ScriptedServer.with { _ in
            .silence
        } use: { server in
            let engine = try engine()
            let task = Task { try await engine.start(request(server)).head() }
            #expect(try await eventually { server.requests.count == 1 })
            task.cancel()
            await #expect(throws: TransferError.cancelled) { _ = try await task.value }
            #expect(try await eventually { server.connections.closed == 1 })
        }
    }

    @Test func aShieldedTransferOutlivesTheCancellation() async throws {
        try await ScriptedServer.with { _ in
            .status(200)
        } use: { server in
            let engine = try engine()
            let task = Task {
                // Safe: the task cancels itself, and does not keep the handle.
                unsafe withUnsafeCurrentTask { unsafe $0?.cancel() }
                #expect(Task.isCancelled)
                return try await engine.start(request(server), isShielded: true).head().status
            }
            #expect(try await task.value == 200)
        }
    }

    @Test func anAbandonedUploadEndsBeforeItsLastByte() async throws {
        try await ScriptedServer.with { _ in
            .status(200)
        } use: { server in
            let transfer = try engine().start(request(server, "PUT", length: 10))
            #expect(await transfer.send(ByteBuffer(string: "012345678")))
            await transfer.abandon()
            #expect(!transfer.hasSentAll)
            #expect(try await eventually { server.connections.opened == server.connections.closed })
            #expect(server.requests.isEmpty)
        }
    }

    @Test func manyCancelledTransfersLeaveNoDescriptors() async throws {
        func descriptors() throws -> Int { try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count }
        let before = try descriptors()
        try await ScriptedServer.with {
            $0.target == "/silent" ? .silence : .status(200, [], "a")
        } use: { server in
            let engine = try engine()
            let tasks = (0..<300).map { number in
                Task {
                    let target = number.isMultiple(of: 2) ? "/silent" : "/a"
                    let transfer = engine.start(request(server, "PUT", target, length: 5))
                    _ = await transfer.send(ByteBuffer(string: "abc"))
                    if number.isMultiple(of: 3) { transfer.cancel() }
                    return try await transfer.head().status
                }
            }
            for task in tasks {
                task.cancel()
                // Most are cancelled; none hangs.
                _ = await task.result
            }
            engine.close()
            #expect(try await eventually { server.connections.opened == server.connections.closed })
        }
        #expect(try await eventually { ((try? descriptors()) ?? .max) <= before })
    }

    @Test func aSilentServerIsGivenUp() async throws {
        let environment = SimulatedEnvironment()
        try await ScriptedServer.with { _ in
            .silence
        } use: { server in
            let transfer = try engine(TransferSettings(), environment).start(request(server))
            #expect(try await eventually { server.requests.count == 1 })
            environment.advance(by: .seconds(31))
            await #expect {
                _ = try await transfer.head()
            } throws: { error in
                if case TransferError.broken = error { true } else { false }
            }
        }
    }

    @Test func anAnswerThatStallsIsGivenUp() async throws {
        let environment = SimulatedEnvironment()
        let beginning = ScriptedServer.Answer("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc")
        try await ScriptedServer.with { _ in
            beginning
        } use: { server in
            let transfer = try engine(TransferSettings(), environment).start(request(server))
            #expect(try await transfer.head().status == 200)
            #expect(try await transfer.next()?.readableBytes == 3)
            environment.advance(by: .seconds(21))
            await #expect(throws: TransferError.self) { _ = try await transfer.next() }
        }
    }

    @Test func timeInWhichWeHoldItUpDoesNotCount() async throws {
        let environment = SimulatedEnvironment()
        try await ScriptedServer.with { request in
            .status(200, [], "\(request.body.count)")
        } use: { server in
            let transfer = try engine(TransferSettings(), environment).start(request(server, "PUT", length: 4))
            #expect(await transfer.send(ByteBuffer(string: "ab")))
            // It is paused once the two bytes are sent; several ticks of the loop pass meanwhile.
            #expect(try await eventually { transfer.pauses.sending })
            environment.advance(by: .seconds(3600))
            #expect(await transfer.send(ByteBuffer(string: "cd")))
            transfer.finishSending()
            #expect(try await collect(transfer) == [UInt8(ascii: "4")])
        }
    }

    @Test func anAnswerThatDripsIsEndedWhereThatIsWanted() async throws {
        let environment = SimulatedEnvironment()
        var settings = TransferSettings()
        (settings.firstByteTimeout, settings.stallTimeout) = (.seconds(1000), .seconds(1000))
        settings.wholeTimeout = .seconds(60)
        try await ScriptedServer.with { _ in
            .init("HTTP/1.1 200 X\r\nContent-Length: 10\r\n\r\nx")
        } use: { server in
            let transfer = try engine(settings, environment).start(request(server))
            _ = try await transfer.head()
            #expect(try await transfer.next() == ByteBuffer(string: "x"))
            environment.advance(by: .seconds(61))
            await #expect(throws: TransferError.broken("it was not over within 60.0 seconds")) {
                _ = try await transfer.next()
            }
        }
    }

    @Test func whatLibcurlSaysGetsNoEscapeIntoALog() {
        #expect(EasyHandle.clean("name 'a\u{1b}[31m\n\u{e9}' is wrong") == "name 'a?[31m???' is wrong")
        #expect(EasyHandle.clean(String(repeating: "a", count: 300)).utf8.count == 200)
    }

    @Test func waitingTransfersAreBoundedAndGivenUp() async throws {
        let environment = SimulatedEnvironment()
        var settings = TransferSettings()
        (settings.transferLimit, settings.waitingLimit) = (1, 1)
        (settings.firstByteTimeout, settings.stallTimeout) = (.seconds(1000), .seconds(1000))
        try await ScriptedServer.with { _ in
            .silence
        } use: { server in
            let engine = try engine(settings, environment)
            let first = engine.start(request(server))
            #expect(try await eventually { server.requests.count == 1 })
            let second = engine.start(request(server))
            let third = engine.start(request(server))
            await #expect(throws: TransferError.overloaded) { _ = try await third.head() }
            environment.advance(by: .seconds(31))
            await #expect(throws: TransferError.overloaded) { _ = try await second.head() }
            await first.abandon()
        }
    }

    @Test func aClosedEngineEndsWhatIsUnderWay() async throws {
        try await ScriptedServer.with { _ in
            .silence
        } use: { server in
            let engine = try engine()
            let transfer = engine.start(request(server))
            #expect(try await eventually { server.requests.count == 1 })
            engine.close()
            await #expect(throws: TransferError.closed) { _ = try await transfer.head() }
            await #expect(throws: TransferError.closed) { _ = try await engine.start(request(server)).head() }
        }
    }
}
