import ArgumentParser
import Primitives

/// What of the benchmarks works on the product's own parts, instead of on a running gateway. `bench` starts it.
@main
struct Workbench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workbench", abstract: "Measure parts of the gateway alone, and make the index of a large one.",
        subcommands: [FillIndex.self, Format.self, MeasureMD5.self, MeasureErasure.self, MeasureISAL.self])
}

/// What was measured, as one line of JSON.
struct Measurement {
    /// Bytes a second of the processor.
    let rate: Double

    func print() {
        Swift.print("{\"rate\": \(rate)}")
    }
}
