import Configuration
import Durability
import Metadata
import Pools
import Primitives
import Workers

/// Makes of what was counted and seen what is told: a pure function.
struct DurabilityReport {
    let census: DistanceCensus
    let coverage: ScrubCoverage
    let configuration: TidegateConfiguration
    /// The list by which blobs are placed now.
    let placement: Placement?
    /// What was seen of each store that is there, by position.
    let histories: [UInt16: StoreHistoryRecord]
    var journal: DurabilityView.Journal?
    var parityOfNew: Int?

    init(
        census: DistanceCensus, coverage: ScrubCoverage, configuration: TidegateConfiguration,
        placement: Placement?, histories: [UInt16: StoreHistoryRecord]
    ) {
        (self.census, self.coverage, self.configuration) = (census, coverage, configuration)
        (self.placement, self.histories) = (placement, histories)
    }

    func view(stores: [DurabilityView.Store], walkSeconds: Double) -> DurabilityView {
        let shards = census.byRedundancy.reduce(0) { $0 + $1.value.all.blobs * $1.key.shards }
        let observed = ObservedRates(histories.values, shards: shards)
        // What a pool writes now is told of even where there is nothing of it yet.
        var all = census.byRedundancy
        let current = Redundancy(configuration.pool.dataShards, configuration.pool.parityShards)
        if all[current] == nil { all[current] = DistanceCensus.Distances() }
        return DurabilityView(
            blobs: census.total.blobs, bytes: census.total.bytes, damaged: census.damaged,
            unreadable: census.unreadable,
            redundancies: all.sorted { $0.key < $1.key }.map { told($0.key, $0.value, observed) }, stores: stores,
            observed: DurabilityView.Observed(
                storeYears: observed.losses.years, losses: observed.losses.events,
                damagedShards: observed.damage.events, lossesPerYear: observed.perYear,
                lossesPerYearAtMost: observed.perYearAtMost, repairs: observed.repairs,
                meanRepairDays: observed.repairDays),
            scrub: scrub(), journal: journal, walkSeconds: walkSeconds,
            domainLossesPerYear: configuration.expectedLosses.domainLossesPerYear, parityOfNew: parityOfNew)
    }

    // MARK: Redundancies

    private func told(
        _ redundancy: Redundancy, _ distances: DistanceCensus.Distances, _ observed: ObservedRates
    ) -> DurabilityView.OfRedundancy {
        let expected = configuration.expectedLosses
        let configured = ShardRates(
            lossesPerYear: expected.lossesPerYear, repairDays: expected.repairTime.days)
        // What no repair was seen of takes as long as is configured.
        let days = observed.repairDays ?? configured.repairDays
        func nines(_ rates: ShardRates) -> DurabilityView.Nines {
            self.nines(redundancy, rates, least: distances.least ?? redundancy.parityShards)
        }
        return DurabilityView.OfRedundancy(
            dataShards: redundancy.dataShards, parityShards: redundancy.parityShards, blobs: distances.all.blobs,
            bytes: distances.all.bytes, distances: Self.told(distances.byDistance),
            distancesWithoutBuffered: Self.told(distances.withoutBuffered),
            distancesInDomains: Self.told(distances.byDomains), shardsInADomain: shardsInADomain(redundancy),
            configured: nines(configured),
            observed: observed.losses.events + observed.damage.events > 0
                ? observed.perYear.map { nines(ShardRates(lossesPerYear: $0, repairDays: days)) } : nil,
            observedAtMost: observed.perYearAtMost.map { nines(ShardRates(lossesPerYear: $0, repairDays: days)) })
    }

    private static func told(_ distances: [Int: BlobCount]) -> [DurabilityView.Distance] {
        distances.sorted { $0.key > $1.key }.map {
            DurabilityView.Distance(distance: $0.key, blobs: $0.value.blobs, bytes: $0.value.bytes)
        }
    }

    /// The most shards of a blob that one failure domain is given where all of them are there.
    private func shardsInADomain(_ redundancy: Redundancy) -> Int {
        let domains = max(1, Set(placement?.domains ?? []).count)
        return (redundancy.shards + domains - 1) / domains
    }

    /// - Parameter least: The least distance that a blob has.
    private func nines(_ redundancy: Redundancy, _ rates: ShardRates, least: Int) -> DurabilityView.Nines {
        let year = BinomialModel.perYear(redundancy, rates)
        let serial = MarkovModel(redundancy, rates, repair: .serial)
        let domain = MarkovModel.DomainLoss(
            shards: shardsInADomain(redundancy),
            lossesPerYear: configuration.expectedLosses.domainLossesPerYear)
        func finite(_ probability: LossProbability) -> Double? {
            probability.nines.isFinite ? probability.nines : nil
        }
        return DurabilityView.Nines(
            lossesPerYear: rates.lossesPerYear, repairDays: rates.repairDays,
            binomialProbabilityPerPeriod: BinomialModel.perPeriod(redundancy, rates).value,
            binomialProbabilityPerYear: year.value, binomial: finite(year), markovSerial: finite(serial.perYear),
            markovParallel: finite(MarkovModel(redundancy, rates, repair: .parallel).perYear),
            markovWithDomains: finite(MarkovModel(redundancy, rates, repair: .serial, domain: domain).perYear),
            closest: finite(serial.perYear(missing: redundancy.parityShards - least)))
    }

    // MARK: Reading

    private func scrub() -> DurabilityView.Scrub {
        let (unread, overdue) = (census.unread.blobs, census.overdue.blobs)
        return DurabilityView.Scrub(
            withinDays: configuration.pool.scrubWithin.days, inTime: census.total.blobs - unread - overdue,
            overdue: overdue, unread: unread, oldestRead: census.oldestRead?.iso8601,
            passBegan: coverage.current?.began.iso8601, lastPassEnded: coverage.complete?.ended.iso8601,
            lastPassUnreachableShards: coverage.complete?.unreachableShards)
    }
}

extension Duration {
    /// Days, and the fraction of the next one.
    var days: Double {
        let (seconds, attoseconds) = components
        return (Double(seconds) + Double(attoseconds) / 1e18) / 86_400
    }
}
