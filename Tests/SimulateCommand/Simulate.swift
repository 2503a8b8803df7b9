import ArgumentParser
import Foundation
import Primitives
import Simulation

/// Runs seeds of the simulation, and tells those that break a law.
@main
struct Simulate: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run a whole gateway under seeds: clients, faults, and the laws that must hold all the same.",
        discussion: """
            Each seed is a deployment of its own: its stores, its index and its audit log in memory, its clock and \
            every interleaving of its tasks the seed's. One seed always does the same. The exit code is 1 where a law \
            was broken.
            """)

    @Option(help: "The first seed.")
    var seed: UInt64 = 1

    @Option(help: "How many seeds, one after the other.")
    var count: UInt64 = 1

    @Option(help: "Operations of a seed.")
    var operations = 200

    @Option(help: "Clients of a seed.")
    var clients = 5

    @Flag(help: "Print every operation of the seeds that break a law.")
    var history = false

    @Flag(help: "End with the first seed that breaks a law.")
    var untilBroken = false

    @Flag(help: "Print one line of JSON about each seed.")
    var json = false

    #if PLANTED_BUGS
        @Option(help: "Plant a bug, to see that it is found.")
        var plant: PlantedBug?
    #endif

    func validate() throws {
        guard count > 0, operations > 0, clients > 0 else { throw ValidationError("Nothing is to be done.") }
    }

    func run() throws {
        try Self.fixHashing()
        #if PLANTED_BUGS
            PlantedBug.plant(plant)
        #endif
        var options = SimulationRun.Options()
        (options.clients, options.operations) = (clients, operations)
        var broken = 0
        for seed in seed..<(seed + count) {
            let report = SimulationRun.run(seed: seed, options)
            tell(report)
            if !report.violations.isEmpty {
                broken += 1
                if untilBroken { break }
            }
        }
        if broken > 0 { throw ExitCode.failure }
    }

    private func tell(_ report: SimulationRun.Report) {
        var lines: [String] = []
        if json {
            let faults = report.faults.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
            lines.append(
                #"{"seed":\#(report.seed),"operations":\#(report.operations),"open":\#(report.open),"#
                    + #""steps":\#(report.steps),"violations":\#(report.violations.count),"#
                    + #""undecided":\#(report.isUndecided),"faults":[\#(faults)]}"#)
        } else {
            lines.append(
                "seed \(report.seed): \(report.operations) operations (\(report.open) open), \(report.steps) steps, "
                    + report.faults.map(\.rawValue).joined(separator: " ")
                    + (report.isUndecided ? ", undecided" : ""))
        }
        if !json {
            if history, !report.violations.isEmpty { lines += report.history.map { "    " + $0 } }
            lines += report.violations.map { "  broken: \($0)" }
        }
        FileHandle.standardOutput.write(Data(lines.map { $0 + "\n" }.joined().utf8))
    }

    /// Sets are walked in an order that the process draws when it begins, unless its environment says otherwise: so it
    /// begins again with that.
    private static func fixHashing() throws {
        let name = "SWIFT_DETERMINISTIC_HASHING"
        guard ProcessInfo.processInfo.environment[name] == nil else { return }
        unsafe setenv(name, "1", 1)
        let arguments = unsafe CommandLine.arguments.map { unsafe strdup($0) } + [nil]
        unsafe execv("/proc/self/exe", arguments)
        throw ValidationError("The process cannot be started again: \(errno)")
    }
}

#if PLANTED_BUGS
    extension PlantedBug: ExpressibleByArgument {}
#endif
