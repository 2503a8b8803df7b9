import Configuration
import Metadata

/// Which stores would fail together, by what is said of each.
enum FailureDomains {
    /// How wide a domain is, the widest first. What shares a narrow one shares the wide ones too.
    private static let levels: [TidegateConfiguration.Spread] = [.provider, .region, .zone, .host]

    /// A number for each store that those share which would fail together.
    ///
    /// - Parameters:
    ///   - spread: The level that is wanted; `auto` for the widest at which the loss of one domain takes no more than m
    ///     shards of a blob along.
    ///   - shards: k + m.
    /// - Returns: Nil where each store is a domain of its own.
    static func numbers(
        _ stores: [FailureDomain], spread: TidegateConfiguration.Spread, shards: Int, parity: Int
    ) -> [UInt16]? {
        switch spread {
        case .store: return nil
        case .provider, .region, .zone, .host: return ownNumbers(groups(stores, at: spread))
        case .auto:
            for level in levels {
                let groups = groups(stores, at: level)
                if Set(groups).count * max(1, parity) >= shards { return ownNumbers(groups) }
            }
            return nil
        }
    }

    private static func ownNumbers(_ groups: [Int]) -> [UInt16]? {
        Set(groups).count == groups.count ? nil : groups.map { UInt16(truncatingIfNeeded: $0) }
    }

    /// For each store the first one that it is in a domain with.
    private static func groups(_ stores: [FailureDomain], at level: TidegateConfiguration.Spread) -> [Int] {
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
    private static func names(of store: FailureDomain, upTo level: TidegateConfiguration.Spread) -> [[String]] {
        var names = store.hosts.map { ["host", $0] }
        let (provider, region, zone) = (store.provider, store.region, store.zone)
        if level != .host, !zone.isEmpty { names.append(["zone", provider, region, zone]) }
        if level == .region || level == .provider, !region.isEmpty { names.append(["region", provider, region]) }
        if level == .provider, !provider.isEmpty { names.append(["provider", provider]) }
        return names
    }
}
