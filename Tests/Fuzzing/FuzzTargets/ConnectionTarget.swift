import NIOCore
import Primitives
import Server

extension FuzzTarget {
    /// A connection whose handler reads every body whole and answers: what it is asked, and what the client gets, does
    /// not depend on how the bytes are cut.
    static let connection = FuzzTarget("connection") {
        [
            Example(
                "pipelined",
                "GET /1 HTTP/1.1\r\nhost: h\r\n\r\nPUT /2 HTTP/1.1\r\nhost: h\r\ncontent-length: 3\r\n\r\nabc",
                "POST /3 HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n2\r\nde\r\n0\r\n\r\n",
                "HEAD /4 HTTP/1.0\r\n\r\n"),
            Example(
                "expecting",
                "PUT / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\nabGET /2 ",
                "HTTP/1.1\r\n"),
            Example(
                "smuggled",
                "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 44\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
                "GET /admin HTTP/1.1\r\nhost: h\r\n\r\n"),
            Example("unfinished", "PUT / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc"),
        ]
    } run: { bytes in
        let whole = try Conversation(bytes, piecesOf: .max)
        for size in [1, 4, 11] {
            let cut = try Conversation(bytes, piecesOf: size)
            // A client that does not wait for the `100 Continue` that it asked for is answered for the last time.
            let waits = (cut.requests + whole.requests).contains { $0.expectsContinue && $0.framing != .none }
            let count = waits ? min(cut.requests.count, whole.requests.count) : .max
            try require(
                cut.requests.prefix(count) == whole.requests.prefix(count), "other requests in pieces of \(size)")
            try require(cut.bodies.prefix(count) == whole.bodies.prefix(count), "other bodies in pieces of \(size)")
            if !waits { try require(cut.written == whole.written, "other answers in pieces of \(size)") }
        }
        return !whole.requests.isEmpty
    }
}

/// A connection from its first byte to its end.
private struct Conversation {
    private(set) var requests: [ParsedRequest] = []
    /// What the handler got of each body; a failure by its kind.
    private(set) var bodies: [[UInt8]] = []
    private(set) var written: [UInt8] = []

    private var machine: ConnectionStateMachine
    private var wantsBytes = false
    private var handlerIsWaiting = false
    private var todo: [ConnectionActions] = []

    private static let settings = ConnectionSettings(limits: ServerLimits(), timeouts: ServerTimeouts())
    private static let now: UInt64 = 1_000_000_000

    init(_ bytes: [UInt8], piecesOf size: Int) throws(BrokenProperty) {
        machine = ConnectionStateMachine(settings: Self.settings, isSecure: false, now: Self.now)
        try perform(machine.start())
        for piece in pieces(of: bytes, size: size) where piece.readableBytes > 0 {
            guard !machine.isClosed else { return }
            try require(wantsBytes, "a connection that neither reads nor ends")
            wantsBytes = false
            try perform(machine.received(piece, Self.now))
            try perform(machine.readCompleted())
        }
        try perform(machine.inputClosed(Self.now))
        try require(machine.isClosed, "a connection that outlives its client")
        try require(!handlerIsWaiting, "a handler that waits for ever")
    }

    private mutating func perform(_ actions: ConnectionActions) throws(BrokenProperty) {
        todo.append(actions)
        guard todo.count == 1 else { return }
        // What the handler does while actions are performed comes after them.
        while let next = todo.first {
            try performOne(next)
            todo.removeFirst()
        }
    }

    private mutating func performOne(_ actions: ConnectionActions) throws(BrokenProperty) {
        for bytes in [actions.prefix, actions.data, actions.suffix] {
            if let bytes { written += bytes.readableBytesView }
        }
        if actions.flags.contains(.read) { wantsBytes = true }
        if actions.flags.contains(.reportFlush) { todo.append(machine.outputFlushed(Self.now)) }
        if let answer = actions.body, handlerIsWaiting {
            handlerIsWaiting = false
            try take(answer)
        }
        if let refusal = actions.refusal {
            let (head, body) = RefusalResponse.make(refusal, requestID: 1)
            try answer(head, body)
            todo.append(machine.handlerReturned(machine.exchangeIdentifier ?? 0, Self.now))
        }
        if let request = actions.request {
            requests.append(request)
            bodies.append([])
            try readBody()
        }
        if actions.flags.contains(.advance) { todo.append(machine.advance(isWritable: true, Self.now)) }
    }

    /// The handler asks for the body until it has to wait.
    private mutating func readBody() throws(BrokenProperty) {
        let (answer, actions) = machine.demandBody(machine.exchangeIdentifier ?? 0, Self.now)
        todo.append(actions)
        try take(answer)
    }

    private mutating func take(_ answer: ConnectionActions.BodyAnswer) throws(BrokenProperty) {
        switch answer {
        case .bytes(let bytes):
            try require(bytes.readableBytes > 0, "an empty piece of a body")
            bodies[bodies.count - 1] += bytes.readableBytesView
            try readBody()
        case .wait: handlerIsWaiting = true
        case .end: try finish(status: 200)
        case .failed(let failure):
            bodies[bodies.count - 1] += Array("failed: \(failure.kind)".utf8)
            try finish(status: 400)
        }
    }

    private mutating func finish(status: Int) throws(BrokenProperty) {
        let text = ByteBuffer(string: "\(bodies.count) \(bodies[bodies.count - 1].count)")
        try answer(ResponseHead(status: status), text)
        todo.append(machine.handlerReturned(machine.exchangeIdentifier ?? 0, Self.now))
    }

    private mutating func answer(_ head: ResponseHead, _ body: ByteBuffer) throws(BrokenProperty) {
        guard !machine.isClosed else { return }
        do throws(BodyError) {
            todo.append(
                try machine.answer(machine.exchangeIdentifier ?? 0, head, body, date: "now", Self.now))
        } catch {
            throw BrokenProperty(description: "an answer that cannot be given: \(error)")
        }
    }
}
