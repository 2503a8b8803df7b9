import NIOCore
import Primitives
import Server
import Testing

/// Real sockets: what a client sees of heads, bodies and the order of answers.
@Suite struct ConnectionTests {
    @Test func keepsAConnectionForSeveralRequests() async throws {
        try await withServer(handler: describe) { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            let first = try await client.wait(for: "</a 0>")
            #expect(first.hasPrefix("HTTP/1.1 200 OK\r\nserver: Tidegate\r\ndate: "))
            #expect(!first.contains("connection: close"))
            try await client.send("PUT /b HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhello")
            try await client.wait(for: "</b 5>")
            try await client.send(
                "PUT /c HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
            try await client.wait(for: "</c 3>")
            try await client.send("GET /d HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
            let all = try await client.waitForEnd()
            #expect(all.contains("connection: close"))
            #expect(all.contains("</d 0>"))
            #expect(server.counters.requests == 4)
            #expect(server.counters.acceptedConnections == 1)
            try await client.close()
        }
    }

    @Test func answersPipelinedRequestsInOrderAndOneAtATime() async throws {
        let running = HandlerLog()
        try await withServer { request, body, response in
            running.add("+")
            // Suspends, so that a second request could overtake where nothing held it back.
            for _ in 0..<20 { await Task.yield() }
            try await describe(request, body, response)
            running.add("-")
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            let count = 200
            var text = ""
            for index in 0..<count {
                text += "PUT /\(index) HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nab"
            }
            try await client.send(text)
            let all = try await client.wait(for: "</\(count - 1) 2>")
            var position = all.startIndex
            for index in 0..<count {
                let found = try #require(all[position...].firstRange(of: "</\(index) 2>"))
                position = found.upperBound
            }
            try await eventually("the last handler returns") { running.all.count == 2 * count }
            #expect(running.all == (0..<count).flatMap { _ in ["+", "-"] })
            try await client.close()
        }
    }

    @Test func keepsRequestsThatOnlyAskOnTheirEventLoopAndOthersOffIt() async throws {
        try await withServer { request, body, response in
            _ = try await readToEnd(body)
            await Task.yield()
            // Safe: the task is looked at and not kept.
            let isOnLoop = unsafe withUnsafeCurrentTask { unsafe $0?.unownedTaskExecutor != nil }
            try await response.send(
                ResponseHead(status: 200), ByteBuffer(string: "<\(request.head.target) \(isOnLoop)>"))
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.wait(for: "</a true>")
            try await client.send("PUT /b HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nab")
            try await client.wait(for: "</b false>")
            // A copy has no body and computes long.
            try await client.send("PUT /c HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.wait(for: "</c false>")
            try await client.close()
        }
    }

    @Test func answersManyPipelinedRequestsFromMemoryWithoutGrowingTheStack() async throws {
        try await withServer(handler: describe) { server, _ in
            let client = try await RawClient.connect(server.boundPort, keeps: false)
            let request = "GET / HTTP/1.1\r\nhost: h\r\n\r\n"
            let count = 30_000
            let answer = try await oneAnswer(server, request)
            try await client.send(String(repeating: request, count: count))
            try await client.wait(for: "all answers") { $0.count == count * answer }
            try await client.close()
        }
    }

    private func oneAnswer(_ server: Server, _ request: String) async throws -> Int {
        let client = try await RawClient.connect(server.boundPort)
        try await client.send(request)
        try await client.wait(for: "</ 0>")
        let count = client.count
        try await client.close()
        return count
    }

    @Test func asksForTheBodyOnlyWhenTheHandlerDoes() async throws {
        let gate = HandlerLog()
        try await withServer { request, body, response in
            try await eventually("the gate opens") { gate.contains("open") }
            try await describe(request, body, response)
        } test: { server, log in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
            try await eventually("the request starts") { log.contains("start PUT /a") }
            #expect(client.count == 0)
            gate.add("open")
            let interim = try await client.wait(for: "\r\n\r\n")
            #expect(interim == "HTTP/1.1 100 Continue\r\n\r\n")
            try await client.send("hello")
            try await client.wait(for: "</a 5>")
            try await client.send("GET /b HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.wait(for: "</b 0>")
            try await client.close()
        }
    }

    @Test func refusesWithoutAskingForTheBody() async throws {
        try await withServer(handler: ignoreBody) { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n")
            let all = try await client.waitForEnd()
            #expect(all.hasPrefix("HTTP/1.1 403"))
            #expect(all.contains("connection: close"))
            #expect(!all.contains("100 Continue"))
            try await client.close()
        }
    }

    @Test func throwsASmallUnreadBodyAwayAndKeepsTheConnection() async throws {
        try await withServer { request, body, response in
            try await (request.head.method == "GET" ? describe : ignoreBody)(request, body, response)
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\n")
            let answer = try await client.wait(for: "<denied>")
            #expect(!answer.contains("connection: close"))
            // These bytes must not be taken for a request.
            let line = "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n"
            let filler = line + String(repeating: "x", count: 100_000 - line.utf8.count)
            try await client.send(filler + "GET /b HTTP/1.1\r\nhost: h\r\n\r\n")
            let all = try await client.wait(for: "</b 0>")
            #expect(!all.contains("smuggled"))
            try await client.close()
        }
    }

    @Test func letsAClientReadTheAnswerToALargeBodyItIsStillSending() async throws {
        try await withServer {
            // Longer than any machine takes to send what follows.
            $0.timeouts.linger = .seconds(600)
        } handler: { request, body, response in
            try await ignoreBody(request, body, response)
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 100000000\r\n\r\n")
            // The server reads on after its answer, so none of this is answered with a reset that overtakes it.
            for _ in 0..<32 { try await client.send(ByteBuffer(repeating: 0, count: 1 << 20)) }
            let all = try await client.waitForEnd()
            #expect(all.hasSuffix("<denied>"))
            #expect(all.contains("connection: close"))
            #expect(!client.wasReset)
            try await client.close()
        }
    }

    @Test func answersAClientThatHasClosedItsSendingSide() async throws {
        try await withServer(handler: describe) { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send(
                "PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 2\r\n\r\nabGET /b HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.closeOutput()
            let all = try await client.waitForEnd()
            #expect(all.contains("</a 2>"))
            #expect(all.contains("</b 0>"))
        }
    }

    @Test func tellsTheHandlerThatABodyIsCutShort() async throws {
        try await withServer(handler: describe) { server, log in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nhel")
            try await client.closeOutput()
            try await eventually("the body fails") { log.contains("failed /a incomplete cancelled=false") }
            try await client.waitForEnd()
        }
    }

    @Test("CVE-2020-1700, CVE-2019-3821: nothing is left of a client that goes away")
    func cancelsTheRequestOfAClientThatResets() async throws {
        try await withServer { request, body, response in
            try await response.begin(ResponseHead(status: 200), length: nil)
            while true { try await response.write(ByteBuffer(repeating: 1, count: 1 << 16)) }
        } test: { server, log in
            let client = try await RawClient.connect(server.boundPort, keeps: false)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.wait(for: "bytes") { $0.count > 100_000 }
            try await client.close()
            try await eventually("the writer fails: \(log.all)") {
                log.contains("failed /a disconnected cancelled=true")
                    || log.contains("failed /a disconnected cancelled=false")
            }
            try await eventually("the connection is given back") {
                server.counters.openConnections == 0 && server.counters.requestsInFlight == 0
            }
        }
    }

    @Test func resetsAnAnswerThatIsAborted() async throws {
        try await withServer { request, body, response in
            try await response.begin(ResponseHead(status: 200), length: 100)
            try await response.write(ByteBuffer(string: "part"))
            await response.abort()
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.waitForEnd()
            #expect(client.wasReset)
        }
    }

    @Test func resetsAnAnswerThatIsShorterThanAnnounced() async throws {
        try await withServer { request, body, response in
            try await response.begin(ResponseHead(status: 200), length: 100)
            try await response.write(ByteBuffer(string: "part"))
            try await response.finish()
        } test: { server, log in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.waitForEnd()
            #expect(client.wasReset)
            try await eventually("the handler is told") { log.all.contains { $0.hasPrefix("failed /a incomplete") } }
        }
    }

    @Test func answersForAHandlerThatDoesNot() async throws {
        try await withServer { _, _, _ in
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            let all = try await client.waitForEnd()
            #expect(all.hasPrefix("HTTP/1.1 500"))
            #expect(all.contains("<Code>InternalError</Code>"))
            try await client.close()
        }
    }

    @Test func sendsNoBodyWhereNoneMayBe() async throws {
        try await withServer { request, body, response in
            if request.head.target == "/begin" {
                try await response.begin(ResponseHead(status: 200), length: 5)
                try await response.write(ByteBuffer(string: "hello"))
                try await response.finish()
            } else {
                try await response.send(ResponseHead(status: 204), ByteBuffer(string: "hello"))
            }
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("HEAD /begin HTTP/1.1\r\nhost: h\r\n\r\nGET /none HTTP/1.1\r\nhost: h\r\n\r\n")
            let all = try await client.wait(for: "204 No Content")
            #expect(all.contains("content-length: 5\r\n\r\nHTTP/1.1 204"))
            #expect(!all.contains("hello"))
            try await client.close()
        }
    }

    @Test func streamsWithoutALengthInChunksOrUntilTheEnd() async throws {
        try await withServer { request, body, response in
            try await response.begin(ResponseHead(status: 200), length: nil)
            try await response.write(ByteBuffer(string: "hello "))
            try await response.write(ByteBuffer(string: "world"))
            try await response.finish()
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await client.wait(for: "\r\n\r\n6\r\nhello \r\n5\r\nworld\r\n0\r\n\r\n")
            try await client.close()
            let old = try await RawClient.connect(server.boundPort)
            try await old.send("GET /a HTTP/1.0\r\n\r\n")
            let all = try await old.waitForEnd()
            #expect(all.hasSuffix("connection: close\r\n\r\nhello world"))
            try await old.close()
        }
    }

    @Test(arguments: [
        ("GET / HTTP/1.1\nhost: h\n\n", "400", "BadRequest"),
        ("PRI * HTTP/2.0\r\n\r\n", "505", "HTTPVersionNotSupported"),
        ("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n", "400", "BadRequest"),
        ("TRACE / HTTP/1.1\r\nhost: h\r\n\r\n", "405", "MethodNotAllowed"),
    ])
    func refusesWithAnErrorDocumentAndCloses(_ text: String, _ status: String, _ code: String) async throws {
        try await withServer(handler: describe) { server, log in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send(text + "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n")
            let all = try await client.waitForEnd()
            #expect(all.hasPrefix("HTTP/1.1 \(status) "))
            #expect(all.contains("<Code>\(code)</Code>"))
            #expect(all.contains("x-amz-request-id: "))
            #expect(all.contains("connection: close"))
            #expect(log.all.isEmpty)
            #expect(server.counters.refused.values.reduce(0, +) == 1)
            try await client.close()
        }
    }

    @Test func tellsTheHandlerOfMalformedChunksAndClosesAfterItsAnswer() async throws {
        try await withServer { request, body, response in
            do {
                _ = try await readToEnd(body)
            } catch let error as BodyError {
                try await response.send(ResponseHead(status: 400), ByteBuffer(string: "<\(error.kind)>"))
            }
        } test: { server, log in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send(
                "PUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\nabX\r\n"
                    + "GET /smuggled HTTP/1.1\r\nhost: h\r\n\r\n"
            )
            let all = try await client.waitForEnd()
            #expect(all.hasSuffix("<malformed>"))
            // The answer is out before the handler has ended.
            try await eventually("the handler ends: \(log.all)") { log.all == ["start PUT /a", "end /a"] }
            try await client.close()
        }
    }
}
