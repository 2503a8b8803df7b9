import ArgumentParser
import Configuration
import Durability

/// `tidegate durability`
struct DurabilityCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "durability", abstract: "Tell how far everything is from its loss, and how likely one is.",
        discussion: """
            Counts how many shards more each blob can lose, from the index and from which stores answer now; computes \
            nines from the configured rates and from what was observed; tells what a scrub has read, and how far the \
            copies of the index are. Asks the running gateway, on its admin port and signed with the root key, or \
            works on the data by itself where no gateway runs.

            With --nines it recommends the cheapest k+m instead, and looks at no deployment.
            """)

    @Flag(help: "As JSON.")
    var json = false

    @Option(help: "Recommend the cheapest k+m that has so many nines in a year.")
    var nines: Double?

    @Option(help: "For that: losses of a store in a year (durability.losses-per-year).")
    var afr: Double?

    @Option(help: "For that: days from a loss until it is repaired (durability.repair-time).")
    var repairDays: Double?

    @Option(help: "For that: the most stores that fail independently of one another (48).")
    var domains: Int?

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        for (name, value) in [("--nines", nines), ("--afr", afr), ("--repair-days", repairDays)] {
            guard let value else { continue }
            guard value.isFinite, value >= 0 else { throw ValidationError("\(name) is to be a number from 0.") }
        }
        if let domains, !(1...10_000).contains(domains) { throw ValidationError("--domains is to be from 1 to 10000.") }
        if nines == nil, afr != nil || repairDays != nil || domains != nil {
            throw ValidationError("--afr, --repair-days and --domains want --nines.")
        }
    }

    func run() async throws {
        if let nines { return try recommend(nines) }
        try await BackendCommand.run(options) { access throws(BackendError) in
            let view = try await access.durability()
            if json {
                print(String(decoding: try AdminJSON.encode(view), as: UTF8.self), terminator: "")
            } else {
                for line in DurabilityText(view).lines { print(line) }
            }
        }
    }

    // MARK: Recommending

    /// What is recommended, for programs.
    private struct Recommended: Codable, Sendable {
        var dataShards: Int
        var parityShards: Int
        var domains: Int
        var overhead: Double
        /// Nil where nothing can be lost.
        var nines: Double?
        var lossesPerYear: Double
        var repairDays: Double
    }

    private func recommend(_ wanted: Double) throws {
        let expected = try options.load().configuration.expectedLosses
        let rates = ShardRates(
            lossesPerYear: afr ?? expected.lossesPerYear, repairDays: repairDays ?? expected.repairTime.days)
        let most = domains ?? 48
        guard let best = Recommendation.cheapest(nines: wanted, rates, Recommendation.Bounds(domains: most)) else {
            StandardError.write(
                "No k+m on \(Counted(most, "store")) has \(DurabilityText.number(wanted)) nines at "
                    + "\(DurabilityText.number(rates.lossesPerYear)) losses a year and "
                    + "\(DurabilityText.number(rates.repairDays)) days.\n")
            throw ExitCode.failure
        }
        let redundancy = best.redundancy
        if json {
            let told = Recommended(
                dataShards: redundancy.dataShards, parityShards: redundancy.parityShards, domains: best.domains,
                overhead: redundancy.overhead, nines: best.nines.isFinite ? best.nines : nil,
                lossesPerYear: rates.lossesPerYear, repairDays: rates.repairDays)
            print(String(decoding: try AdminJSON.encode(told), as: UTF8.self), terminator: "")
            return
        }
        print(
            "\(redundancy) on \(Counted(best.domains, "store")) that fail independently: "
                + "\(DurabilityText.number(best.nines)) nines at "
                + "\(DurabilityText.number(rates.lossesPerYear)) losses of a store in a year and "
                + "\(DurabilityText.number(rates.repairDays)) days until one is repaired; "
                + "\(DurabilityText.number(redundancy.overhead)) bytes stored for each byte.")
    }
}
