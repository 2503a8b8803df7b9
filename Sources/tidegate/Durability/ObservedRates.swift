import Durability
import Metadata

/// How often stores were seen to lose what they hold, and how long it took until it was there again.
struct ObservedRates: Sendable, Hashable {
    /// Stores that lost everything, in the years for which stores were watched, taken together.
    let losses: EventRate
    /// Shards that were found missing or corrupt, in the years for which shards lay on stores, taken together.
    let damage: EventRate
    /// The mean time from the finding of a loss until the shard was written anew; nil where none was.
    let repairDays: Double?
    let repairs: UInt64

    private static let secondsPerDay = 86_400.0

    /// - Parameters:
    ///   - histories: what was seen of each store that is watched.
    ///   - shards: how many there are now, on all stores. They are taken to have been there all the time.
    init(_ histories: some Collection<StoreHistoryRecord>, shards: Int) {
        let seconds = histories.reduce(0.0) { $0 + Double($1.watchedSeconds) }
        let years = seconds / Self.secondsPerDay / ShardRates.daysPerYear
        losses = EventRate(events: histories.reduce(0) { $0 + Int(clamping: $1.losses) }, years: years)
        damage = EventRate(
            events: histories.reduce(0) { $0 + Int(clamping: $1.damagedShards) },
            years: histories.isEmpty ? 0 : years * Double(shards) / Double(histories.count))
        repairs = histories.reduce(0) { $0.saturatingAdd($1.repairs.count) }
        let repairing = histories.reduce(0.0) { $0 + Double($1.repairs.seconds) }
        repairDays = repairs > 0 ? repairing / Double(repairs) / Self.secondsPerDay : nil
    }

    /// Losses of a shard in a year as they were seen; nil where nothing was watched yet.
    var perYear: Double? { losses.perYear.map { $0 + (damage.perYear ?? 0) } }

    /// The rate that they exceed with a probability of at most 5 %. Where no damage was found, none is assumed: the
    /// bound on the loss of stores leaves more room than that takes.
    var perYearAtMost: Double? {
        losses.upperBound.map { $0 + (damage.events > 0 ? damage.upperBound ?? 0 : 0) }
    }
}
