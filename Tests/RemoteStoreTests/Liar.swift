import Foundation
import NIOCore
import Primitives
import RemoteStore
import Testing

/// A server behind two fault proxies, and another one that is honest; `Tests/Remote/run` starts them and names them.
struct Liar: Sendable, CustomTestStringConvertible {
    let name: String
    /// Where the stores are that never lie.
    let honest: String
    /// Two ways to the server, each with faults of its own.
    let proxies: [String]
    /// Where faults are set (`Tests/Remote/control.py`).
    let control: String

    static let all = (ProcessInfo.processInfo.environment["TIDEGATE_TEST_S3_LIARS"] ?? "").split(separator: " ")
        .compactMap { Liar(String($0)) }
    static let missing: Comment = "No fault proxy is named: Tests/Remote/run starts some"

    var testDescription: String { name }

    /// Each lie with one of the liars in turn: what a proxy answers depends little on the server behind it.
    static func telling<Outcome>(_ lies: [Lie<Outcome>]) -> [(Liar, Lie<Outcome>)] {
        guard !all.isEmpty else { return [] }
        return lies.enumerated().map { (all[$0.offset % all.count], $0.element) }
    }

    /// `NAME=HONEST,PROXY,PROXY,CONTROL`
    private init?(_ text: String) {
        let parts = text.split(separator: "=", maxSplits: 1)
        let urls = parts.last?.split(separator: ",").map(String.init) ?? []
        guard parts.count == 2, urls.count == 4 else { return nil }
        (name, honest, proxies, control) = (String(parts[0]), urls[0], Array(urls[1...2]), urls[3])
    }
}

/// The control port of a liar.
struct LiarControl: Sendable {
    /// What the control port answered where it refused.
    struct Refused: Error {
        let answer: String
    }

    private let url: String
    private let engine: TransferEngine

    init(_ liar: Liar) throws {
        var settings = TransferSettings()
        // A server may take long to start.
        settings.firstByteTimeout = .seconds(120)
        settings.stallTimeout = .seconds(120)
        url = liar.control
        engine = try #require(TransferEngine(settings, environment: SystemEnvironment()))
    }

    /// Does to the requests of a proxy what a fault says, a JSON object.
    func fault(_ fault: String, on proxy: Int) async throws {
        _ = try await ask("POST", "/\(proxy)/fault", fault)
    }

    /// No faults from now on, on either proxy.
    func clear() async throws {
        for proxy in 0..<2 { _ = try await ask("POST", "/\(proxy)/clear", "") }
    }

    /// How often the faults of a proxy were done, in all of its life.
    func count(on proxy: Int) async throws -> Int {
        let answer = try await ask("GET", "/\(proxy)/counts", nil)
        return try JSONDecoder().decode([String: Int].self, from: Data(answer.utf8)).values.reduce(0, +)
    }

    /// Has something done to the server's process: `stop`, `continue`, `kill` or `start`.
    func server(_ deed: String) async throws {
        _ = try await ask("POST", "/server/\(deed)", "")
    }

    func close() {
        engine.close()
    }

    private func ask(_ method: String, _ target: String, _ body: String?) async throws -> String {
        var fields: HeaderFields = ["host": String(url.dropFirst("http://".count))]
        if let body { fields["content-length"] = String(body.utf8.count) }
        let transfer = engine.start(
            TransferRequest(
                origin: url, head: RequestHead(method: method, target: target, fields: fields),
                contentLength: body.map { Int64($0.utf8.count) }))
        if let body { _ = await transfer.send(ByteBuffer(string: body)) }
        transfer.finishSending()
        let status = try await transfer.head().status
        var answer = ""
        while let bytes = try await transfer.next() { answer += String(buffer: bytes) }
        guard status == 200 else { throw Refused(answer: answer) }
        return answer
    }
}
