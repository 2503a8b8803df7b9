import ArgumentParser
import CWorkbench
import Cryptography
import NIOCore
import Primitives

/// The MD5 of many uploads at once, each fed buffer by buffer, by the second of the processor.
struct MeasureMD5: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "md5", abstract: "Measure the stage of a PUT that computes MD5.",
        discussion: """
            Each stream hands a buffer over and waits for it, as a long PUT does. Everything that the process uses of \
            the processor counts, the changes between tasks too.
            """)

    @Option(help: "How many uploads there are at once.")
    var streams = 32

    @Option(help: "Bytes of a buffer.")
    var buffer = 128 << 10

    @Option(help: "For how long.")
    var seconds = 3.0

    @Flag(help: "Compute each stream's by OpenSSL, in its own task.")
    var plain = false

    func validate() throws {
        guard streams > 0, buffer > 0, seconds > 0 else { throw ValidationError("Nothing is to be done.") }
    }

    func run() async throws {
        let environment = SystemEnvironment()
        let lanes = MD5Lanes()
        let (plain, size) = (plain, buffer)
        let (start, used) = (environment.monotonicNanoseconds(), bench_process_nanoseconds())
        let end = start + UInt64(seconds * 1e9)
        let total = await withTaskGroup(of: Int.self) { group in
            for stream in 0..<streams {
                group.addTask {
                    let bytes = ByteBuffer(repeating: UInt8(truncatingIfNeeded: stream), count: size)
                    let (together, alone) = (LaneMD5(), Digest(.md5))
                    var done = 0
                    while environment.monotonicNanoseconds() < end {
                        if plain {
                            alone.update(bytes)
                            await Task.yield()
                        } else {
                            await lanes.update(together, bytes) { work in Task { await work() } }
                        }
                        done += size
                    }
                    return done
                }
            }
            return await group.reduce(0, +)
        }
        Measurement(rate: Double(total) / (Double(bench_process_nanoseconds() - used) / 1e9)).print()
    }
}
