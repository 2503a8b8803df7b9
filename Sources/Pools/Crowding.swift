import Primitives

/// Shards that share a store although another store holds none of their blob.
///
/// A write goes on while stores are away by putting shards beside their siblings. Once those stores are back, such a
/// blob would not bear the loss of any m of them: one store would take several of its shards along.
extension ErasurePool {
    /// Marks sound shards that are to move, no more of them than there are stores without a shard of the blob.
    func markCrowded(_ statuses: inout [ShardStatus], _ locator: BlobLocator) {
        let order = order(locator.name, epoch: locator.placementEpoch)
        let now = environment.monotonicNanoseconds()
        var held: [UInt16: Int] = [:]
        for status in statuses { if let store = status.store { held[store, default: 0] += 1 } }
        var free = order.count { held[$0] == nil && isUsable(Int($0), now) }
        for index in statuses.indices.reversed() where free > 0 && statuses[index].state == .sound {
            guard let store = statuses[index].store, held[store, default: 0] > 1 else { continue }
            // The one that is at home there stays.
            if order[Int(statuses[index].index) % order.count] == store, statuses[index].attempt == 0 { continue }
            statuses[index].state = .crowded
            held[store, default: 0] -= 1
            free -= 1
        }
    }
}
