import ArgumentParser
import CWorkbench
import Erasure
import NIOCore
import Primitives

/// What is done to each stripe.
enum StripeWork: String, ExpressibleByArgument, CaseIterable {
    /// The parity of a stripe of a PUT, in the buffer that goes to the stores.
    case encode
    /// The first data cells, as many as there is parity, from the others.
    case decode
    /// All that `StripeBuilder` does once it has the bytes: parity, the checksum of each cell, the roots of the shards.
    case seal
}

struct StripeOptions: ParsableArguments {
    @Argument(help: "What is done to each stripe.")
    var work: StripeWork

    @Option(help: "k.")
    var data = 4

    @Option(help: "m.")
    var parity = 2

    @Option(help: "Bytes of a cell.")
    var cell = 128 << 10

    @Option(help: "Seconds of the processor.")
    var seconds = 3.0
}

/// ISA-L alone, as what the erasure code is held against.
struct MeasureISAL: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "isal", abstract: "Measure ISA-L's functions alone on aligned cells.")

    @OptionGroup var options: StripeOptions

    func run() throws {
        let works: [StripeWork: bench_work] = [.encode: bench_encode, .decode: bench_decode, .seal: bench_seal]
        guard let work = works[options.work] else { throw ValidationError("There is no such work.") }
        let rate = bench_isal(
            work, Int32(options.data), Int32(options.parity), Int32(options.cell), options.seconds)
        guard rate > 0 else { throw ValidationError("ISA-L cannot do that.") }
        Measurement(rate: rate).print()
    }
}

/// The same by the product's erasure code, in the buffers that it makes.
///
/// The bytes are copied to where they are just before, as in a PUT; that copy does not count, on neither side.
struct MeasureErasure: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "erasure", abstract: "Measure the erasure code of a PUT, without the copy into the stripe.")

    @OptionGroup var options: StripeOptions

    func run() throws {
        let geometry = try Geometry(
            dataShards: options.data, parityShards: options.parity, cellSize: options.cell)
        var bench = try StripeBench(geometry)
        let end = bench_thread_nanoseconds() + UInt64(options.seconds * 1e9)
        while bench_thread_nanoseconds() < end {
            switch options.work {
            case .encode: try bench.encode()
            case .decode: try bench.decode()
            case .seal: try bench.seal()
            }
        }
        Measurement(rate: bench.rate).print()
    }
}

/// Stripes, one after the other, of which the interesting part is timed.
struct StripeBench {
    private let geometry: Geometry
    private let code: ErasureCode
    private let content: ByteBuffer
    private let lost: [Int]
    private let present: [Int]
    private var builder: StripeBuilder
    /// The cells of a stripe before they are encoded, and those that a lost one is computed from.
    private var stripe = ByteBuffer()
    private var cells = ByteBuffer()
    private var taken: UInt64 = 0
    private var bytes = 0

    init(_ geometry: Geometry) throws {
        self.geometry = geometry
        code = try ErasureCode(geometry)
        content = ByteBuffer(
            bytes: (0..<geometry.stripeSize).map { UInt8(truncatingIfNeeded: $0 &* 2_654_435_761 >> 24) })
        lost = Array(0..<min(geometry.dataShards, geometry.parityShards))
        present = Array(lost.count..<lost.count + geometry.dataShards)
        let deployment = try DeploymentID([UInt8](repeating: 7, count: 16))
        let name = BlobName(epoch: 1, counter: 1, random: 1)
        let checksums = (0..<geometry.shards).map { ShardChecksum(deployment: deployment, blob: name, shard: $0) }
        builder = StripeBuilder(geometry, code: code, checksums: checksums, expected: nil)
    }

    /// Bytes of data a second of what was timed.
    var rate: Double { taken > 0 ? Double(bytes) / (Double(taken) / 1e9) : 0 }

    private mutating func time<Result>(_ work: (inout StripeBench) throws -> Result) rethrows -> Result {
        let start = bench_thread_nanoseconds()
        let result = try work(&self)
        taken += bench_thread_nanoseconds() - start
        bytes += geometry.stripeSize
        return result
    }

    /// In the layout of a PUT.
    mutating func encode() throws {
        let stride = ErasureCode.stride(ofCells: geometry.cellSize)
        stripe.clear(minimumCapacity: geometry.shards * stride)
        stripe.moveWriterIndex(to: geometry.shards * stride)
        for shard in 0..<geometry.dataShards {
            let cell = content.getSlice(at: shard * geometry.cellSize, length: geometry.cellSize) ?? ByteBuffer()
            stripe.setBuffer(cell, at: shard * stride)
        }
        let cell = geometry.cellSize
        try time { bench in try bench.code.encode(&bench.stripe, cell: cell, stride: stride) }
    }

    /// In the layout of a GET that lacks shards: the cells that are there, then those that are wanted.
    mutating func decode() throws {
        let cell = geometry.cellSize
        let stride = ErasureCode.stride(ofCells: cell)
        cells.clear(minimumCapacity: (present.count + lost.count) * stride)
        cells.moveWriterIndex(to: (present.count + lost.count) * stride)
        // What the bytes are makes no difference to the time.
        for position in present.indices {
            cells.setBuffer(content.getSlice(at: position * cell, length: cell) ?? ByteBuffer(), at: position * stride)
        }
        try time { bench in
            try bench.code.reconstruct(bench.lost, from: bench.present, cells: &bench.cells, cell: cell, stride: stride)
        }
    }

    mutating func seal() throws {
        var rest = content
        builder.fill(from: &rest)
        _ = try time { bench in try bench.builder.seal() }
    }
}
