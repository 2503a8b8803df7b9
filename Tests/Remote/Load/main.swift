import Glibc
import NIOCore
import Primitives
import RemoteStore
import Signing
import Storage

// What a gigabyte costs through a remote store: writes and reads blobs of 64 MiB, one after the other, and prints what
// each GiB took of the processor and of the time. Beside it runs the server, which has the same processors.

/// Takes bytes and forgets them.
struct ForgetfulSink: BodySink {
    private(set) var bytes = 0

    mutating func write(_ buffer: ByteBuffer) async throws(BodyError) { bytes += buffer.readableBytes }
}

/// Seconds of the processor that this process has used.
func processorSeconds() -> Double { Double(clock()) / Double(CLOCKS_PER_SEC) }

func measure(_ what: String, gibibytes: Double, _ work: () async throws -> Void) async throws {
    let environment = SystemEnvironment()
    let (processor, start) = (processorSeconds(), environment.monotonicNanoseconds())
    try await work()
    let seconds = Double(environment.monotonicNanoseconds() - start) / 1_000_000_000
    func rounded(_ number: Double) -> Double { (number * 100).rounded() / 100 }
    let used = rounded((processorSeconds() - processor) / gibibytes)
    print("\(what): \(used) s of the processor a GiB, \(rounded(gibibytes * 1024 / seconds)) MiB/s")
}

let arguments = CommandLine.arguments
guard arguments.count >= 5 else {
    print("usage: remote-load URL BUCKET ACCESS-KEY SECRET-KEY [FILE-OF-AUTHORITY [h1|h2 [COUNT]]]")
    exit(2)
}

var settings = RemoteStoreSettings()
if arguments.count > 5, !arguments[5].isEmpty {
    guard let file = unsafe fopen(arguments[5], "r") else { exit(2) }
    var text = [UInt8](repeating: 0, count: 1 << 20)
    let count = unsafe fread(&text, 1, 1 << 20, file)
    settings.transfer.trust = .certificates(String(decoding: text.prefix(count), as: UTF8.self))
}
settings.transfer.offersHTTP2 = arguments.count > 6 && arguments[6] == "h2"
let count = arguments.count > 7 ? Int(arguments[7]) ?? 8 : 8
let environment = SystemEnvironment()
let store = try RemoteStore(
    name: "load",
    endpoint: RemoteEndpoint(url: arguments[1], bucket: arguments[2], prefix: "load/\(environment.random())"),
    credentials: SigningCredentials(accessKeyID: arguments[3], secret: SecretKey(arguments[4])), settings: settings,
    environment: environment)
let block = ByteBuffer(bytes: environment.randomBytes(1 << 20))
let length = Int64(64 << 20)
let names = (0..<count).map { BlobName(kind: .control, epoch: 1, counter: UInt64($0), random: 1) }
let gibibytes = Double(count) * Double(length) / Double(1 << 30)
try await measure("PUT of 64 MiB", gibibytes: gibibytes) {
    for name in names {
        _ = try await store.write(
            name, Body(length: length, source: BufferedSource(Array(repeating: block, count: 64))))
    }
}
try await measure("GET of 64 MiB", gibibytes: gibibytes) {
    for name in names {
        var sink: any BodySink = ForgetfulSink()
        try await store.read(name, range: 0..<length, into: &sink)
    }
}
for name in names { try await store.delete(name) }
