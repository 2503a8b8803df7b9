import NIOCore
import Primitives
import Server
import Synchronization

/// A handler made of a function.
struct FunctionHandler: RequestHandler {
    let function: @Sendable (IncomingRequest, consuming Body, any ResponseChannel) async throws -> Void
    let log: HandlerLog

    func handle(_ request: IncomingRequest, body: consuming Body, response: any ResponseChannel) async {
        log.add("start \(request.head.method) \(request.head.target)")
        do {
            try await function(request, body, response)
            log.add("end \(request.head.target)")
        } catch {
            let kind = (error as? BodyError)?.kind.rawValue ?? "\(error)"
            log.add("failed \(request.head.target) \(kind) cancelled=\(Task.isCancelled)")
            await response.abort()
        }
    }
}

/// What a handler did, for tests to look at.
final class HandlerLog: Sendable {
    private let entries = Mutex<[String]>([])

    func add(_ entry: String) { entries.withLock { $0.append(entry) } }
    var all: [String] { entries.withLock { $0 } }
    func contains(_ entry: String) -> Bool { all.contains(entry) }
}

/// Runs a server for the time of a test.
func withServer(
    _ configure: (inout ServerConfiguration) -> Void = { _ in },
    handler: @escaping @Sendable (IncomingRequest, consuming Body, any ResponseChannel) async throws -> Void,
    test: (Server, HandlerLog) async throws -> Void
) async throws {
    var configuration = ServerConfiguration()
    configuration.threads = 2
    configure(&configuration)
    let log = HandlerLog()
    let server = try await Server.start(
        configuration, handler: FunctionHandler(function: handler, log: log), environment: SystemEnvironment())
    do {
        try await test(server, log)
    } catch {
        await server.drain(deadline: .zero)
        throw error
    }
    await server.drain(deadline: .zero)
}

/// Reads a body to its end, and returns how many bytes came.
func readToEnd(_ body: consuming Body) async throws(BodyError) -> Int {
    var count = 0
    while let bytes = try await body.next() { count += bytes.readableBytes }
    return count
}

/// Answers with the target and the number of bytes that came.
@Sendable func describe(
    _ request: IncomingRequest, _ body: consuming Body, _ response: any ResponseChannel
) async throws {
    let count = try await readToEnd(body)
    try await response.send(ResponseHead(status: 200), ByteBuffer(string: "<\(request.head.target) \(count)>"))
}

/// Answers without looking at the body.
@Sendable func ignoreBody(
    _ request: IncomingRequest, _ body: consuming Body, _ response: any ResponseChannel
) async throws {
    try await response.send(ResponseHead(status: 403), ByteBuffer(string: "<denied>"))
}

/// Sends the body back as it comes.
@Sendable func echo(
    _ request: IncomingRequest, _ body: consuming Body, _ response: any ResponseChannel
) async throws {
    // Asking for the body first tells the server that it will be read, so that the connection can be kept.
    var next = try await body.next()
    try await response.begin(ResponseHead(status: 200), length: body.length)
    while let bytes = next {
        try await response.write(bytes)
        next = try await body.next()
    }
    try await response.finish()
}
