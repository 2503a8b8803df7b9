import Primitives
import Synchronization

/// Shards that share a failure domain although another one holds none of their blob.
///
/// A write goes on while stores are away by putting shards beside their siblings. Once those stores are back, such a
/// blob would not bear the loss of any m of them: one domain would take several of its shards along.
extension ErasurePool {
    /// Marks sound shards that are to move, no more of them than there are domains without a shard of the blob.
    func markCrowded(_ statuses: inout [ShardStatus], _ locator: BlobLocator) {
        let (order, members) = (order(locator), members)
        let now = environment.monotonicNanoseconds()
        var held: [Int: Int] = [:]
        for status in statuses {
            if let store = status.store { held[members.domain(of: Int(store)), default: 0] += 1 }
        }
        let usable = members.current.stores.map { Int($0) }.filter { isUsable($0, now) }
        var free = Set(usable.map { members.domain(of: $0) }).count { held[$0] == nil }
        let isAtHome = { (status: ShardStatus) in
            order[Int(status.index) % order.count] == status.store && status.attempt == 0
        }
        // Those that are at home stay, unless there are several of them in a domain.
        let guests = statuses.indices.reversed().filter { !isAtHome(statuses[$0]) }
        for index in guests + statuses.indices.reversed() where free > 0 && statuses[index].state == .sound {
            guard let store = statuses[index].store else { continue }
            let domain = members.domain(of: Int(store))
            guard held[domain, default: 0] > 1 else { continue }
            statuses[index].state = .crowded
            held[domain, default: 0] -= 1
            free -= 1
        }
    }

    /// The shards of a blob that are to move, as far as its locator tells: nothing is read.
    package func crowded(_ locator: BlobLocator) -> [ShardStatus] {
        var statuses = homes(locator).map { ShardStatus($0, $0.store == nil ? .missing : .sound) }
        markCrowded(&statuses, locator)
        return statuses.filter { $0.state == .crowded }
    }

    /// Notes that shards of a blob share a failure domain while another one holds none of it.
    func noteCrowding(_ homes: [ShardHome], _ members: PoolMembers) {
        let held = members.held(homes)
        let isCrowded = held.values.contains { $0 > 1 } && held.count < Set(members.current.domains).count
        if isCrowded { crowdingRemains() }
    }

    /// There may be blobs whose shards are to be spread.
    package func crowdingRemains() {
        crowding.store(true, ordering: .releasing)
    }

    /// Whether there may be blobs whose shards share a failure domain although there is another one: a metric.
    package var mayBeCrowded: Bool { crowding.load(ordering: .acquiring) }

    /// Whether there may be such blobs, and every store can be given shards now. Says so
    /// once, until there may be some again.
    ///
    /// The return of a store does not tell as much: one that failed for a moment was never away, and one that is back
    /// is still avoided for a while.
    package func takeCrowding() -> Bool {
        let now = environment.monotonicNanoseconds()
        guard members.current.stores.allSatisfy({ isUsable(Int($0), now) }) else { return false }
        return crowding.exchange(false, ordering: .acquiringAndReleasing)
    }
}
