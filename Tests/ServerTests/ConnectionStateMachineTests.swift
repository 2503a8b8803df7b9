import NIOCore
import Primitives
import Server
import Testing

/// The life of a connection without any I/O.
@Suite struct ConnectionStateMachineTests {
    private static let second: UInt64 = 1_000_000_000

    /// A machine and what it has written.
    private struct Driver {
        var machine: ConnectionStateMachine
        var written = ""
        var now: UInt64 = 1000 * ConnectionStateMachineTests.second

        init(isSecure: Bool = false, _ configure: (inout ServerConfiguration) -> Void = { _ in }) {
            var configuration = ServerConfiguration()
            configure(&configuration)
            machine = ConnectionStateMachine(
                settings: ConnectionSettings(limits: configuration.limits, timeouts: configuration.timeouts),
                isSecure: isSecure, now: now)
        }

        @discardableResult
        mutating func note(_ actions: ConnectionActions) -> ConnectionActions {
            for bytes in [actions.prefix, actions.data, actions.suffix] {
                if let bytes { written += String(buffer: bytes) }
            }
            return actions
        }

        /// Feeds text and parses a head where one is awaited: the actions of the last step.
        @discardableResult
        mutating func feed(_ text: String) -> ConnectionActions {
            let actions = note(machine.received(ByteBuffer(string: text), now))
            _ = machine.readCompleted()
            guard actions.flags.contains(.advance) else { return actions }
            return advance()
        }

        @discardableResult
        mutating func advance() -> ConnectionActions { note(machine.advance(isWritable: true, now)) }

        mutating func demand() -> ConnectionActions.BodyAnswer {
            let (answer, actions) = machine.demandBody(machine.exchangeIdentifier ?? 0, now)
            note(actions)
            return answer
        }

        @discardableResult
        mutating func answer(_ status: Int, _ text: String = "") throws -> ConnectionActions {
            note(
                try machine.answer(
                    machine.exchangeIdentifier ?? 0, ResponseHead(status: status), ByteBuffer(string: text),
                    date: "now", now))
        }

        @discardableResult
        mutating func returned() -> ConnectionActions {
            note(machine.handlerReturned(machine.exchangeIdentifier ?? 0, now))
        }
    }

    @Test func readsNothingAheadOfAHandlerThatDoesNotAsk() throws {
        var driver = Driver()
        #expect(driver.machine.start().flags == .read)
        let actions = driver.feed("PUT /a HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nhello")
        #expect(actions.request?.head.target == "/a")
        #expect(!actions.flags.contains(.read))
        #expect(driver.demand() == .bytes(ByteBuffer(string: "hello")))
        #expect(driver.demand() == .wait)
        #expect(driver.feed("world").body == .bytes(ByteBuffer(string: "world")))
        #expect(driver.demand() == .end)
    }

    @Test func keepsPipelinedBytesUntilAnswerAndHandlerAreDone() throws {
        var driver = Driver()
        driver.feed("GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(driver.advance().request == nil)
        let answered = try driver.answer(200)
        #expect(!answered.flags.contains(.advance))
        #expect(driver.advance().request == nil)
        #expect(driver.returned().flags.contains(.advance))
        #expect(driver.machine.advance(isWritable: false, driver.now).request == nil)
        #expect(driver.advance().request?.head.target == "/2")
    }

    @Test func refusesCallsForARequestThatIsOver() throws {
        var driver = Driver()
        driver.feed("GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\n")
        let first = try #require(driver.machine.exchangeIdentifier)
        try driver.answer(200)
        #expect(throws: BodyError.self) { try driver.answer(200) }
        driver.returned()
        driver.advance()
        #expect(throws: BodyError.self) {
            try driver.machine.answer(first, ResponseHead(status: 200), ByteBuffer(), date: "", driver.now)
        }
        #expect(throws: BodyError.self) { try driver.machine.write(first, ByteBuffer(string: "x")) }
        #expect(driver.machine.abort(first).flags.isEmpty)
        if case .failed = driver.machine.demandBody(first, driver.now).answer {
        } else {
            Issue.record("a late reader got bytes")
        }
    }

    @Test func asksForABodyOnceAndNotWhenItIsThereAlready() throws {
        var driver = Driver()
        driver.feed("PUT /1 HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        #expect(driver.written == "")
        #expect(driver.demand() == .wait)
        #expect(driver.written == "HTTP/1.1 100 Continue\r\n\r\n")
        #expect(driver.feed("a").body == .bytes(ByteBuffer(string: "a")))
        #expect(driver.demand() == .wait)
        #expect(driver.written == "HTTP/1.1 100 Continue\r\n\r\n")
        var eager = Driver()
        eager.feed("PUT /1 HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nab")
        #expect(eager.demand() == .bytes(ByteBuffer(string: "ab")))
        #expect(eager.written == "")
    }

    /// botocore keeps the status line of an answer that came instead of `100 Continue`, and takes it for that of the
    /// next answer on the connection too.
    @Test func greetsAClientThatHasNoBodyToSend() throws {
        var driver = Driver()
        driver.feed("PUT /1 HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 0\r\n\r\n")
        #expect(driver.demand() == .end)
        #expect(driver.written == "")
        let identifier = driver.machine.exchangeIdentifier ?? 0
        let actions = try driver.machine.answer(
            identifier, ResponseHead(status: 200), ByteBuffer(), date: "now", driver.now)
        let written = String(buffer: try #require(actions.prefix))
        #expect(written.hasPrefix("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\n"))
        #expect(!actions.flags.contains(.closeOutput))
    }

    @Test func neverAsksForABodyAfterTheAnswerBegan() throws {
        var driver = Driver()
        driver.feed("PUT /1 HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n")
        try driver.machine.begin(
            driver.machine.exchangeIdentifier ?? 0, ResponseHead(status: 200), length: 2, date: "now")
        if case .failed = driver.demand() {} else { Issue.record("the body was awaited") }
        #expect(!driver.written.contains("100 Continue"))
    }

    @Test(arguments: [(100, true), (300_000, false)])
    func keepsTheConnectionOnlyForSmallUnreadBodies(_ length: Int, _ keeps: Bool) throws {
        var driver = Driver()
        driver.feed("PUT /1 HTTP/1.1\r\nhost: h\r\ncontent-length: \(length)\r\n\r\n")
        let actions = try driver.answer(403)
        #expect(driver.written.contains("connection: close") != keeps)
        #expect(actions.flags.contains(.reportFlush) != keeps)
        #expect(actions.flags.contains(.read))
    }

    @Test func closesAfterAnUnreadChunkedBodyButNotAfterOneThatIsWhole() throws {
        var driver = Driver()
        driver.feed("PUT /1 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n")
        try driver.answer(403)
        #expect(driver.written.contains("connection: close"))
        var whole = Driver()
        whole.feed(
            "PUT /1 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
                + "GET /2 HTTP/1.1\r\nhost: h\r\n\r\n"
        )
        try whole.answer(403)
        #expect(!whole.written.contains("connection: close"))
        #expect(whole.returned().flags.contains(.advance))
        #expect(whole.advance().request?.head.target == "/2")
    }

    @Test func lingersUntilTheClientClosesWithinBounds() throws {
        var driver = Driver { ($0.limits.lingerBytes, $0.timeouts.linger) = (1000, .seconds(5)) }
        driver.feed("GET /1 HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n")
        #expect(try driver.answer(200).flags.contains(.reportFlush))
        driver.returned()
        #expect(driver.machine.deadline == nil)
        #expect(driver.machine.outputFlushed(driver.now).flags == .closeOutput)
        #expect(driver.machine.deadline == driver.now + 5 * Self.second)
        #expect(driver.feed(String(repeating: "x", count: 1000)).flags.isEmpty)
        var flooded = driver
        #expect(flooded.feed("x").flags.contains(.close))
        var late = driver
        #expect(late.machine.timedOut(late.now + 5 * Self.second).flags.contains(.close))
        #expect(driver.machine.inputClosed(driver.now).flags.contains(.close))
        #expect(driver.machine.isClosed)
    }

    @Test func timesEachPhase() throws {
        var driver = Driver(isSecure: true) {
            ($0.timeouts.handshake, $0.timeouts.idle, $0.timeouts.head) = (.seconds(1), .seconds(2), .seconds(3))
            ($0.timeouts.progress, $0.timeouts.progressBytes) = (.seconds(4), 3)
        }
        #expect(driver.machine.deadline == driver.now + Self.second)
        driver.now += 500
        #expect(driver.machine.handshakeCompleted(driver.now).flags == .advance)
        #expect(driver.machine.deadline == driver.now + 2 * Self.second)
        driver.now += 500
        driver.feed("PUT /1 HTTP/1.1\r\n")
        let started = driver.now
        driver.now += Self.second
        driver.feed("host: h\r\n")
        #expect(driver.machine.deadline == started + 3 * Self.second)
        driver.feed("content-length: 100\r\n\r\n")
        #expect(driver.machine.deadline == nil)
        #expect(driver.demand() == .wait)
        #expect(driver.machine.deadline == driver.now + 4 * Self.second)
        // Bytes stop the clock until they are asked for again, but a trickle does not start it anew.
        driver.now += 3 * Self.second
        #expect(driver.feed("ab").body == .bytes(ByteBuffer(string: "ab")))
        #expect(driver.machine.deadline == nil)
        driver.now += 100 * Self.second
        #expect(driver.demand() == .wait)
        #expect(driver.machine.deadline == driver.now + Self.second)
        driver.now += Self.second
        let actions = driver.machine.timedOut(driver.now)
        guard case .failed(let failure) = actions.body else {
            Issue.record("the body did not fail")
            return
        }
        #expect(failure.kind == .timedOut)
        try driver.answer(400)
        #expect(driver.written.contains("connection: close"))
    }

    @Test func holdsNoStorageWhileIdle() throws {
        var driver = Driver()
        driver.feed("GET /1 HTTP/1.1\r\nhost: h\r\n\r\n")
        try driver.answer(200)
        driver.returned()
        let actions = driver.advance()
        #expect(actions.request == nil)
        // A further byte begins a buffer of its own: it is the only one there.
        #expect(driver.feed("G").request == nil)
        #expect(driver.feed("ET /2 HTTP/1.1\r\nhost: h\r\n\r\n").request?.head.target == "/2")
    }

    @Test func cancelsTheTaskOnlyWhileItHasAnAnswerToGive() throws {
        var driver = Driver()
        driver.feed("GET /1 HTTP/1.1\r\nhost: h\r\n\r\n")
        var answered = driver
        #expect(driver.machine.disconnected().flags.contains(.cancelTask))
        try answered.answer(200)
        #expect(!answered.machine.disconnected().flags.contains(.cancelTask))
    }

    @Test func drainsIdleConnectionsAtOnceAndOthersAfterTheirAnswer() throws {
        var idle = Driver()
        #expect(idle.machine.drain().flags.contains(.close))
        var busy = Driver()
        busy.feed("GET /1 HTTP/1.1\r\nhost: h\r\n\r\n")
        #expect(!busy.machine.drain().flags.contains(.close))
        try busy.answer(200)
        #expect(busy.written.contains("connection: close"))
        var waiting = Driver()
        waiting.feed("PUT /1 HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n")
        #expect(waiting.demand() == .wait)
        let cut = waiting.machine.cut()
        #expect(cut.flags.isSuperset(of: [.reset, .cancelTask]))
        #expect(cut.body == .failed(BodyError(.cancelled, "The server is stopping.")))
    }

    @Test func aCancelledWaitFailsTheBodyForGood() throws {
        var driver = Driver()
        driver.feed("PUT /1 HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\n")
        #expect(driver.demand() == .wait)
        let identifier = try #require(driver.machine.exchangeIdentifier)
        guard case .failed(let failure) = driver.machine.cancelBody(identifier).body else {
            Issue.record("the wait goes on")
            return
        }
        #expect(failure.kind == .cancelled)
        #expect(driver.feed("hello").body == nil)
        #expect(driver.demand() == .failed(failure))
        try driver.answer(503)
        #expect(driver.written.contains("connection: close"))
    }
}
