/// How often one shard is lost, and how long it then takes until it is there again.
package struct ShardRates: Hashable, Sendable {
    /// Losses that are expected of one shard in a year: a rate, which may be above 1. A store that loses everything
    /// loses one shard of each of its blobs.
    package var lossesPerYear: Double
    /// From a loss to the end of its repair, its discovery included. Infinite where nothing is ever repaired.
    package var repairDays: Double

    /// The year of every rate here.
    package static let daysPerYear = 365.0

    /// Numbers that are no rates, negative ones or none at all, count as 0.
    package init(lossesPerYear: Double, repairDays: Double) {
        self.lossesPerYear = lossesPerYear > 0 ? lossesPerYear : 0
        self.repairDays = repairDays > 0 ? repairDays : 0
    }

    /// Repairs that one repairer gets done in a year.
    var repairsPerYear: Double { Self.daysPerYear / repairDays }
}
