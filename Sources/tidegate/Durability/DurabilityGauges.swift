import Monitoring

/// What was counted last, for the metrics.
enum DurabilityGauges {
    static func register(_ registry: MetricsRegistry, _ durability: DurabilityDesk) {
        registry.observe(
            "tidegate_durability_nines_configured",
            help: "Nines of the least durable blobs as they should be, by the configured rates."
        ) { nines(durability) { $0.configured } }
        registry.observe(
            "tidegate_durability_nines_observed",
            help: "The same by the rates that losses do not exceed with 95 % confidence, by what was observed."
        ) { nines(durability) { $0.observedAtMost } }
        registry.observe(
            "tidegate_durability_nines_closest",
            help: "Nines of the blobs that are closest to their loss now, by the configured rates."
        ) { least(durability) { $0.configured.closest } }
        registry.observe(
            "tidegate_scrub_overdue_blobs", help: "Blobs that no scrub has read for longer than pool.scrub-within."
        ) { durability.last.map { Double($0.view.scrub.overdue) } ?? 0 }
        registry.observe("tidegate_scrub_unread_blobs", help: "Blobs that no scrub has read yet.") {
            durability.last.map { Double($0.view.scrub.unread) } ?? 0
        }
        registry.observe(
            "tidegate_durability_walk_seconds", help: "How long the last look at the records of all blobs took."
        ) { durability.last?.view.walkSeconds ?? 0 }
    }

    /// Sets the numbers that have labels; to be called before the text is made.
    static func refresh(_ registry: MetricsRegistry, _ durability: DurabilityDesk) {
        guard let view = durability.last?.view else { return }
        set(
            registry.gauges(
                "tidegate_blobs_at_distance", help: "Blobs by how many shards more they can lose.",
                labels: ["distance"]), view.redundancies.map(\.distances))
        set(
            registry.gauges(
                "tidegate_blobs_at_distance_without_buffered",
                help: "The same, if every buffered store lost all that it holds.", labels: ["distance"]),
            view.redundancies.map(\.distancesWithoutBuffered))
        set(
            registry.gauges(
                "tidegate_blobs_at_distance_in_domains", help: "Blobs by how many failure domains they can lose.",
                labels: ["distance"]), view.redundancies.map(\.distancesInDomains))
    }

    private static func set(_ gauges: MetricFamily<Gauge>, _ counts: [[DurabilityView.Distance]]) {
        var blobs: [Int: Int64] = [:]
        for distance in counts.joined() { blobs[distance.distance, default: 0] += Int64(distance.blobs) }
        // A distance at which there is none any more says so.
        for series in gauges.all { series.metric.set(0) }
        for (distance, count) in blobs { gauges[String(distance)].set(count) }
    }

    /// The least of the two that no model with repairs side by side gives; infinite where nothing can be lost.
    private static func nines(
        _ durability: DurabilityDesk, _ which: (DurabilityView.OfRedundancy) -> DurabilityView.Nines?
    ) -> Double {
        least(durability) { redundancy in
            which(redundancy).flatMap { nines in [nines.binomial, nines.markovSerial].compactMap(\.self).min() }
        }
    }

    private static func least(
        _ durability: DurabilityDesk, _ nines: (DurabilityView.OfRedundancy) -> Double?
    ) -> Double {
        guard let view = durability.last?.view else { return .nan }
        return view.redundancies.compactMap(nines).min() ?? .infinity
    }
}
