import NIOCore
import Primitives
import Server
import Testing

/// Real sockets: slow clients, too many of them, and the end of the server.
@Suite struct LimitTests {
    @Test func cutsHeadsThatComeTooSlowly() async throws {
        try await withServer {
            $0.timeouts.head = .milliseconds(200)
        } handler: { request, body, response in
            try await describe(request, body, response)
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("GET /a HTTP/1.1\r\nhost: ")
            let all = try await client.waitForEnd()
            #expect(all.hasPrefix("HTTP/1.1 408"))
            #expect(all.contains("<Code>RequestTimeout</Code>"))
            #expect(server.counters.refused[.headTimeout] == 1)
            try await client.close()
        }
    }

    @Test func closesConnectionsThatStayIdle() async throws {
        try await withServer {
            $0.timeouts.idle = .milliseconds(200)
        } handler: { request, body, response in
            try await describe(request, body, response)
        } test: { server, _ in
            let silent = try await RawClient.connect(server.boundPort)
            #expect(try await silent.waitForEnd() == "")
            // A client that this machine lets speak in time is answered before its connection is closed for being idle.
            var answer = ""
            for _ in 0..<100 where answer.isEmpty {
                let client = try await RawClient.connect(server.boundPort)
                do {
                    try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
                } catch is IOError {
                    continue  // It was idle for too long already.
                }
                answer = try await client.waitForEnd()
            }
            #expect(answer.hasSuffix("</a 0>"))
        }
    }

    @Test func cutsBodiesThatComeTooSlowly() async throws {
        try await withServer {
            $0.timeouts.progress = .milliseconds(200)
        } handler: { request, body, response in
            do {
                _ = try await readToEnd(body)
            } catch let error as BodyError {
                try await response.send(ResponseHead(status: 400), ByteBuffer(string: "<\(error.kind)>"))
            }
        } test: { server, _ in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 100000\r\n\r\nabc")
            let all = try await client.waitForEnd()
            #expect(all.hasSuffix("<timedOut>"))
            #expect(all.contains("connection: close"))
            #expect(server.counters.refused[.slowPeer] == 1)
            try await client.close()
        }
    }

    @Test func cutsClientsThatDoNotTakeTheirAnswer() async throws {
        try await withServer {
            $0.timeouts.progress = .milliseconds(200)
        } handler: { request, body, response in
            try await response.begin(ResponseHead(status: 200), length: 1 << 40)
            while true { try await response.write(ByteBuffer(repeating: 1, count: 1 << 20)) }
        } test: { server, log in
            let client = try await RawClient.connect(server.boundPort, reads: false)
            try await client.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await eventually("the writer fails: \(log.all)") {
                log.all.contains { $0.hasPrefix("failed /a timedOut") }
            }
            #expect(server.counters.refused[.slowPeer] == 1)
            try await client.close()
        }
    }

    @Test("CVE-2020-1700: connections are bounded, of all and of each address", arguments: [true, false])
    func turnsAwayConnectionsAboveTheLimit(_ ofAddress: Bool) async throws {
        try await withServer {
            if ofAddress { $0.limits.connectionsPerAddress = 3 } else { $0.limits.connections = 3 }
        } handler: { request, body, response in
            try await describe(request, body, response)
        } test: { server, _ in
            var clients: [RawClient] = []
            for index in 0..<3 {
                let client = try await RawClient.connect(server.boundPort)
                try await client.send("GET /\(index) HTTP/1.1\r\nhost: h\r\n\r\n")
                try await client.wait(for: "</\(index) 0>")
                clients.append(client)
            }
            let extra = try await RawClient.connect(server.boundPort)
            let answer = try await extra.waitForEnd()
            #expect(answer.hasPrefix("HTTP/1.1 503"))
            #expect(answer.contains("<Code>SlowDown</Code>"))
            #expect(server.counters.refused[.connections] == 1)
            try await clients.removeLast().close()
            try await eventually("a place is free") { server.counters.openConnections == 2 }
            let next = try await RawClient.connect(server.boundPort)
            try await next.send("GET /n HTTP/1.1\r\nhost: h\r\n\r\n")
            try await next.wait(for: "</n 0>")
            try await next.close()
            for client in clients { try await client.close() }
        }
    }

    @Test(arguments: [true, false])
    func asksToComeBackAboveTheLimitOfRequests(_ ofAddress: Bool) async throws {
        let gate = HandlerLog()
        try await withServer {
            if ofAddress { $0.limits.requestsPerAddress = 1 } else { $0.limits.requestsInFlight = 1 }
        } handler: { request, body, response in
            if request.head.target == "/wait" { try await eventually("the gate opens") { gate.contains("open") } }
            try await describe(request, body, response)
        } test: { server, log in
            let first = try await RawClient.connect(server.boundPort)
            try await first.send("GET /wait HTTP/1.1\r\nhost: h\r\n\r\n")
            try await eventually("the first starts") { log.contains("start GET /wait") }
            let second = try await RawClient.connect(server.boundPort)
            try await second.send("PUT /b HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc")
            let refused = try await second.wait(for: "</Error>")
            #expect(refused.hasPrefix("HTTP/1.1 503"))
            #expect(refused.contains("retry-after: 1"))
            #expect(!refused.contains("connection: close"))
            gate.add("open")
            try await first.wait(for: "</wait 0>")
            try await eventually("the first ends") { server.counters.requestsInFlight == 0 }
            try await second.send("GET /c HTTP/1.1\r\nhost: h\r\n\r\n")
            try await second.wait(for: "</c 0>")
            try await first.close()
            try await second.close()
        }
    }

    @Test func echoes64MiBInBoundedMemory() async throws {
        try await withServer(handler: echo) { server, _ in
            let before = try residentMebibytes()
            let client = try await RawClient.connect(server.boundPort, keeps: false)
            let total = 64 << 20
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: \(total)\r\n\r\n")
            let block = ByteBuffer(repeating: 7, count: 1 << 20)
            var peak = before
            for _ in 0..<64 {
                try await client.send(block)
                peak = max(peak, try residentMebibytes())
            }
            try await client.wait(for: "the echo") { $0.count > total }
            #expect(peak - before < 48, "\(before) MiB before, \(peak) MiB at most")
            try await client.close()
        }
    }

    @Test func holdsNothingBackFromAClientThatDoesNotRead() async throws {
        try await withServer(handler: echo) { server, log in
            let client = try await RawClient.connect(server.boundPort, reads: false)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 268435456\r\n\r\n")
            let block = ByteBuffer(repeating: 7, count: 1 << 20)
            for _ in 0..<256 { client.channel.writeAndFlush(block, promise: nil) }
            // The server stops reading once the client does: what it takes in is bounded by buffers, its own and the
            // kernel's.
            var last = -1
            var same = 0
            try await eventually("the transfer stalls") {
                let now = server.counters.bytesReceived
                same = now == last && now > 0 ? same + 1 : 0
                last = now
                return same > 300
            }
            #expect(server.counters.bytesReceived < 64 << 20)
            try await client.close()
        }
    }

    private func residentMebibytes() throws -> Int {
        let text = try readFile("/proc/self/statm")
        let pages = try #require(text.split(separator: " ").dropFirst().first.flatMap { Int($0) })
        return pages * 4096 >> 20
    }

    // MARK: - Draining

    @Test func drainFinishesWhatIsInFlightAndClosesTheRest() async throws {
        let gate = HandlerLog()
        try await withServer { request, body, response in
            if request.head.target == "/wait" { try await eventually("the gate opens") { gate.contains("open") } }
            try await describe(request, body, response)
        } test: { server, log in
            let idle = try await RawClient.connect(server.boundPort)
            try await idle.send("GET /a HTTP/1.1\r\nhost: h\r\n\r\n")
            try await idle.wait(for: "</a 0>")
            let busy = try await RawClient.connect(server.boundPort)
            try await busy.send("GET /wait HTTP/1.1\r\nhost: h\r\n\r\n")
            try await eventually("it starts") { log.contains("start GET /wait") }
            async let drained = server.drain(deadline: .seconds(300))
            try await idle.waitForEnd()
            await #expect(throws: (any Error).self) { _ = try await RawClient.connect(server.boundPort) }
            #expect(!busy.isEnded)
            gate.add("open")
            let all = try await busy.waitForEnd()
            #expect(all.hasSuffix("</wait 0>"))
            #expect(all.contains("connection: close"))
            try await busy.close()
            #expect(await drained == 0)
            #expect(server.counters.openConnections == 0)
        }
    }

    @Test func drainCutsAndCancelsAtItsDeadline() async throws {
        try await withServer { request, body, response in
            _ = try await readToEnd(body)
        } test: { server, log in
            let client = try await RawClient.connect(server.boundPort)
            try await client.send("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nab")
            try await eventually("it starts") { log.contains("start PUT /a") }
            #expect(await server.drain(deadline: .milliseconds(50)) == 1)
            try await client.waitForEnd()
            try await eventually("its handler is cancelled") { log.contains("failed /a cancelled cancelled=true") }
        }
    }
}
