/// How far everything that is stored is from its loss, as it is told: the answer of the management interface, and what
/// the command prints.
struct DurabilityView: Codable, Sendable {
    /// Blobs at one distance: for so many shards, or domains, more that may be lost. 0: the next loss loses them; below
    /// that they cannot be read now.
    struct Distance: Codable, Sendable {
        var distance: Int
        var blobs: Int
        var bytes: Int64
    }

    struct Nines: Codable, Sendable {
        /// Losses of a shard in a year, and days until it is there again, from which the others are computed.
        var lossesPerYear: Double
        var repairDays: Double
        /// Of a loss within one time of a repair.
        var binomialProbabilityPerPeriod: Double
        /// Of a loss within a year.
        var binomialProbabilityPerYear: Double
        /// Nil where nothing can be lost.
        var binomial: Double?
        var markovSerial: Double?
        var markovParallel: Double?
        /// With whole failure domains lost beside single stores; serial repair.
        var markovWithDomains: Double?
        /// Of the blobs that are closest to their loss, as they are now; serial repair.
        var closest: Double?
    }

    struct OfRedundancy: Codable, Sendable {
        var dataShards: Int
        var parityShards: Int
        var blobs: Int
        var bytes: Int64
        var distances: [Distance]
        /// If every buffered store lost all that it holds.
        var distancesWithoutBuffered: [Distance]
        var distancesInDomains: [Distance]
        /// The most shards of a blob that one failure domain is given.
        var shardsInADomain: Int
        var configured: Nines
        /// By what was seen, as it was seen; nil where no loss was.
        var observed: Nines?
        /// By the rate that is not exceeded with 95 % confidence; nil where nothing was watched yet.
        var observedAtMost: Nines?
    }

    struct Store: Codable, Sendable {
        var store: Int
        var name: String
        /// Why it does not answer; nil where it does.
        var absence: String?
        var durability: String
        /// A number that it shares with the stores that would fail together with it.
        var domain: Int
        var watchedSince: String?
        var watchedSeconds: UInt64
        var outages: UInt64
        var outageSeconds: UInt64
        var longestOutageSeconds: UInt64
        var losses: UInt64
        var damagedShards: UInt64
        var repairs: UInt64
        var repairedBytes: UInt64
    }

    struct Observed: Codable, Sendable {
        /// Years for which stores were watched, taken together.
        var storeYears: Double
        /// Stores that lost everything, and shards that a scrub found missing or corrupt.
        var losses: Int
        var damagedShards: Int
        var lossesPerYear: Double?
        /// Not exceeded with 95 % confidence.
        var lossesPerYearAtMost: Double?
        var repairs: UInt64
        var meanRepairDays: Double?
    }

    struct Scrub: Codable, Sendable {
        /// Within how many days each shard is to be read.
        var withinDays: Double
        /// Blobs whose shards were all looked at within that time, and those where that is longer ago.
        var inTime: Int
        var overdue: Int
        /// Blobs that no scrub has come to yet.
        var unread: Int
        /// Of the blobs that a scrub has read, the one that it read longest ago: since when at the latest.
        var oldestRead: String?
        /// When the pass under way began.
        var passBegan: String?
        var lastPassEnded: String?
        /// Shards that could not be read in that pass, since their stores did not answer.
        var lastPassUnreachableShards: Int?
    }

    struct Journal: Codable, Sendable {
        /// How far the copies of the index on the stores are behind: a recovery loses no more than that.
        var secondsBehind: Double
        /// Commits that the index has, and the last one that the copies have.
        var journalledCommit: UInt64
    }

    var blobs: Int
    var bytes: Int64
    /// Blobs that wait to be repaired.
    var damaged: Int
    /// Blobs whose record makes no sense.
    var unreadable: Int
    var redundancies: [OfRedundancy]
    var stores: [Store]
    var observed: Observed
    var scrub: Scrub
    /// Nil where no gateway runs.
    var journal: Journal?
    /// How long it took to look at the index.
    var walkSeconds: Double
    var domainLossesPerYear: Double
    /// The parity shards that new objects are given; nil where no gateway runs.
    var parityOfNew: Int?
}
