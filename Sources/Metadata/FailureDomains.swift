/// Which stores would fail together, by what is said of each.
package enum FailureDomains {
    /// How wide a domain is, the narrowest first. What shares a narrow one shares the wide ones too.
    package enum Level: String, Sendable, CaseIterable {
        case store
        case host
        case zone
        case region
        case provider
    }

    /// A number for each store that those share which would fail together.
    ///
    /// - Parameters:
    ///   - level: The level that is wanted; nil for the narrowest, which spreads best, at which the loss of one
    ///     domain, however wide, takes no more than m shards of a blob along. Where there is no such level, each store
    ///     is a domain of its own.
    ///   - shards: k + m.
    /// - Returns: Nil where each store is a domain of its own.
    package static func numbers(
        _ stores: [FailureDomain], at level: Level?, shards: Int, parity: Int
    ) -> [UInt16]? {
        if let level { return ownNumbers(groups(stores, at: level)) }
        let most = max(1, parity)
        let groupings = Level.allCases.map { groups(stores, at: $0) }
        let best = groupings.indices.first { level in
            let count = Set(groupings[level]).count
            let each = (shards + count - 1) / max(1, count)
            return groupings[level...].allSatisfy { wide in
                let inOne = Dictionary(grouping: stores.indices) { wide[$0] }.values
                return inOne.allSatisfy { Set($0.map { groupings[level][$0] }).count * each <= most }
            }
        }
        return best.flatMap { ownNumbers(groupings[$0]) }
    }

    private static func ownNumbers(_ groups: [Int]) -> [UInt16]? {
        Set(groups).count == groups.count ? nil : groups.map { UInt16(truncatingIfNeeded: $0) }
    }

    /// For each store the first one that it is in a domain with.
    private static func groups(_ stores: [FailureDomain], at level: Level) -> [Int] {
        var first = Array(stores.indices)
        func root(_ store: Int) -> Int {
            var store = store
            while first[store] != store { store = first[store] }
            return store
        }
        var seen: [[String]: Int] = [:]
        for (number, store) in stores.enumerated() {
            for name in names(of: store, upTo: level) {
                guard let other = seen[name] else {
                    seen[name] = number
                    continue
                }
                let (left, right) = (root(other), root(number))
                first[max(left, right)] = min(left, right)
            }
        }
        return stores.indices.map(root)
    }

    /// The names of what a store is in: its hosts, and what is around them up to a level. A zone is one of its region,
    /// and a region one of its provider.
    private static func names(of store: FailureDomain, upTo level: Level) -> [[String]] {
        var names = store.hosts.map { ["host", $0] }
        let (provider, region, zone) = (store.provider, store.region, store.zone)
        if level == .store { return [] }
        if level != .host, !zone.isEmpty { names.append(["zone", provider, region, zone]) }
        if level == .region || level == .provider, !region.isEmpty { names.append(["region", provider, region]) }
        if level == .provider, !provider.isEmpty { names.append(["provider", provider]) }
        return names
    }
}
