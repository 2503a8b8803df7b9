/// How many shards of a blob each store and each failure domain can still take.
struct DomainRoom {
    private let members: PoolMembers
    private let most: Int
    private let isFull: (Int) -> Bool
    private var inDomain: [Int: Int]
    private var onStore: [Int: Int] = [:]

    /// - Parameter isFull: whether a store is to be taken only where no other one does as well by the domains.
    init(_ members: PoolMembers, _ homes: [ShardHome], most: Int, isFull: @escaping (Int) -> Bool) {
        (self.members, self.most, self.isFull) = (members, most, isFull)
        inDomain = members.held(homes)
        for home in homes { if let store = home.store { onStore[store, default: 0] += 1 } }
    }

    /// The store whose domain holds fewest of the blob, of those alike one that is not full, and of these the one that
    /// holds fewest itself; nil where none has room.
    ///
    /// - Parameter natural: is taken before all others where its domain holds none, unless it is full and another one
    ///   of such a domain is not.
    func best(of stores: [Int], preferring natural: Int? = nil) -> Int? {
        let free = stores.filter { held($0).inDomain < most }
        let best = free.min { held($0) < held($1) }
        guard let natural, let best, free.contains(natural), held(natural).inDomain == 0 else { return best }
        return held(natural).isFull > held(best).isFull ? best : natural
    }

    mutating func take(_ store: Int) {
        inDomain[members.domain(of: store), default: 0] += 1
        onStore[store, default: 0] += 1
    }

    private func held(_ store: Int) -> (inDomain: Int, isFull: Int, onStore: Int) {
        (inDomain[members.domain(of: store), default: 0], isFull(store) ? 1 : 0, onStore[store, default: 0])
    }
}

extension PoolMembers {
    /// The stores that are to hold the shards of a new blob: those that are not full, and of the others so many as it
    /// takes for the blob to lie in as many domains as it would if none were full.
    ///
    /// - Parameters:
    ///   - usable: may be given shards.
    ///   - order: of the stores, by the blob's placement.
    func roomy(_ usable: Set<Int>, _ order: [UInt16], shards: Int, isFull: (Int) -> Bool) -> Set<Int> {
        let full = usable.filter(isFull)
        guard !full.isEmpty else { return usable }
        let roomy = usable.subtracting(full)
        let wanted = min(shards, Set(usable.map { domain(of: $0) }).count)
        let covered = Set(roomy.map { domain(of: $0) })
        var more: Set<Int> = []
        for store in order.map({ Int($0) }) where full.contains(store) && covered.count + more.count < wanted {
            if !covered.contains(domain(of: store)) { more.insert(domain(of: store)) }
        }
        return roomy.union(full.filter { more.contains(domain(of: $0)) })
    }
}
