import Durability

/// What the command prints: plain sentences, and a small table or two.
struct DurabilityText {
    private let view: DurabilityView
    private(set) var lines: [String] = []

    init(_ view: DurabilityView) {
        self.view = view
        told()
    }

    private mutating func told() {
        lines.append(
            "\(Counted(view.blobs, "blob")) of \(Counted(view.bytes, "byte")); \(view.damaged) "
                + "\(view.damaged == 1 ? "waits" : "wait") to be repaired. "
                + "Counted in \(Self.number(view.walkSeconds)) s from the index; no shard was read.")
        if view.unreadable > 0 {
            lines.append("\(Counted(view.unreadable, "blob")) cannot be counted: their records make no sense.")
        }
        distances()
        stores()
        nines()
        observed()
        scrub()
        journal()
    }

    // MARK: Distances

    private mutating func distances() {
        guard view.blobs > 0 else { return }
        lines.append("")
        var rows = [["k+m", "can lose", "blobs", "bytes"]]
        for redundancy in view.redundancies {
            for distance in redundancy.distances { rows.append(row(redundancy, distance, of: "shard")) }
        }
        lines += Self.table(rows)
        let isSpread = view.redundancies.contains { $0.shardsInADomain > 1 } || sharesDomains
        if isSpread {
            lines.append("")
            rows = [["k+m", "can lose", "blobs", "bytes"]]
            for redundancy in view.redundancies {
                for distance in redundancy.distancesInDomains { rows.append(row(redundancy, distance, of: "domain")) }
            }
            lines += Self.table(rows)
        }
        let buffered = view.stores.filter { $0.durability.utf8.elementsEqual("buffered".utf8) }
        guard !buffered.isEmpty else { return }
        lines.append("")
        lines.append(
            "\(Counted(buffered.count, "store")) answer before they sync. If all of them lost what they hold:")
        rows = [["k+m", "could lose then", "blobs", "bytes"]]
        for redundancy in view.redundancies {
            for distance in redundancy.distancesWithoutBuffered { rows.append(row(redundancy, distance, of: "shard")) }
        }
        lines += Self.table(rows)
    }

    private var sharesDomains: Bool { Set(view.stores.map(\.domain)).count < view.stores.count }

    private func row(
        _ redundancy: DurabilityView.OfRedundancy, _ distance: DurabilityView.Distance, of what: String
    ) -> [String] {
        let can =
            switch distance.distance {
            case ..<0: "cannot be read"
            case 0: "nothing more"
            default: Counted(distance.distance, what).description
            }
        return [Self.name(redundancy), can, String(distance.blobs), String(distance.bytes)]
    }

    private mutating func stores() {
        for store in view.stores {
            if let absence = store.absence { lines.append("Store \(store.store) (\(store.name)) is away: \(absence)") }
        }
    }

    // MARK: Nines

    private mutating func nines() {
        lines.append("")
        lines.append("Nines of a year without a loss, of one blob:")
        var rows = [
            ["k+m", "rates", "losses a year", "repair", "binomial", "serial", "parallel", "domains", "closest"]
        ]
        for redundancy in view.redundancies {
            rows.append(Self.row(redundancy, "configured", redundancy.configured))
            if let observed = redundancy.observed { rows.append(Self.row(redundancy, "observed", observed)) }
            if let most = redundancy.observedAtMost { rows.append(Self.row(redundancy, "at most (95 %)", most)) }
        }
        lines += Self.table(rows)
        lines.append(
            "binomial: more than m losses in one time of a repair. serial, parallel: a Markov chain in which missing "
                + "shards are repaired one by one, or all at once. These take losses to be independent. domains: with "
                + "a failure domain lost \(Self.number(view.domainLossesPerYear)) times a year beside that, and all of "
                + "a blob's shards in it. closest: the blob that lacks most shards now.")
    }

    private static func row(
        _ redundancy: DurabilityView.OfRedundancy, _ rates: String, _ nines: DurabilityView.Nines
    ) -> [String] {
        [name(redundancy), rates, number(nines.lossesPerYear), "\(number(nines.repairDays)) d"]
            + [nines.binomial, nines.markovSerial, nines.markovParallel, nines.markovWithDomains, nines.closest]
            .map { $0.map { number($0) } ?? "no loss" }
    }

    private mutating func observed() {
        if let parity = view.parityOfNew {
            lines.append("New objects are given \(Counted(parity, "parity shard")).")
        }
        let observed = view.observed
        lines.append("")
        guard observed.storeYears > 0 else {
            lines.append("Nothing was observed yet: no gateway has watched these stores.")
            return
        }
        lines.append(
            "Observed in \(Self.number(observed.storeYears * ShardRates.daysPerYear)) days of stores: "
                + "\(Counted(observed.losses, "store")) lost everything, \(Counted(observed.damagedShards, "shard")) "
                + "found missing or corrupt by a scrub; \(Counted(observed.repairs, "shard")) restored"
                + (observed.meanRepairDays.map { ", \(Self.number($0 * 24)) hours after the loss was found" } ?? "")
                + ".")
        for store in view.stores where store.outages + store.losses + store.damagedShards > 0 {
            lines.append(
                "Store \(store.store) (\(store.name)): \(Counted(store.outages, "outage")), the longest of "
                    + "\(store.longestOutageSeconds) s; lost everything \(Counted(store.losses, "time")); "
                    + "\(Counted(store.damagedShards, "damaged shard")).")
        }
    }

    // MARK: Reading, and the index

    private mutating func scrub() {
        let scrub = view.scrub
        lines.append("")
        lines.append(
            "Each shard is to be read within \(Self.number(scrub.withinDays)) days: \(Counted(scrub.inTime, "blob")) "
                + "were, \(scrub.overdue) overdue, \(scrub.unread) not read yet.")
        if let oldest = scrub.oldestRead { lines.append("The oldest reading is of \(oldest) or later.") }
        if let began = scrub.passBegan { lines.append("A scrub is under way since \(began).") }
        if let missed = scrub.lastPassUnreachableShards, missed > 0 {
            lines.append(
                "\(Counted(missed, "shard")) could not be read in the last pass, since their stores did not answer.")
        }
    }

    private mutating func journal() {
        guard let journal = view.journal else { return }
        lines.append(
            journal.secondsBehind > 0
                ? "The copies of the index are \(Self.number(journal.secondsBehind)) s behind: a recovery loses no "
                    + "more."
                : "The copies of the index on the stores have every commit.")
    }

    // MARK: Writing

    private static func name(_ redundancy: DurabilityView.OfRedundancy) -> String {
        "\(redundancy.dataShards)+\(redundancy.parityShards)"
    }

    /// Two digits behind the point, or as many as show something.
    static func number(_ number: Double) -> String {
        guard number.isFinite else { return "∞" }
        guard abs(number) < 1e15 else { return "\(number)" }
        var (decimals, scale) = (2, 100.0)
        while decimals < 6, number != 0, abs(number) * scale < 10 { (decimals, scale) = (decimals + 1, scale * 10) }
        let scaled = (abs(number) * scale).rounded()
        let (whole, rest) = (Int64(scaled / scale), Int64(scaled.truncatingRemainder(dividingBy: scale)))
        var digits = String(rest)
        digits = String(repeating: "0", count: max(0, decimals - digits.utf8.count)) + digits
        return "\(number < 0 ? "-" : "")\(whole).\(digits)"
    }

    /// Columns that are as wide as they need to be; numbers to the right.
    static func table(_ rows: [[String]]) -> [String] {
        let widths = (rows.first ?? []).indices.map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0
        }
        return rows.map { row in
            var line = ""
            for (column, text) in row.enumerated() {
                let fill = String(repeating: " ", count: widths[column] - text.unicodeScalars.count)
                line += (column == 0 ? "" : "  ") + (column < 2 ? text + fill : fill + text)
            }
            return line
        }
    }
}
