import Erasure
import Primitives
package import Storage

/// Which shards are moved although every byte of them is right.
package enum Relocation: Sendable, Hashable {
    /// Those on stores that the current list has not any more.
    case fromLeavingStores
    /// Those, and all others that a new blob of the same name would have elsewhere: after stores came, so that they are
    /// filled like the others.
    case toCurrentPlacement
}

extension ErasurePool {
    /// Whether a shard of a blob is to move.
    package func isToMove(_ locator: BlobLocator, _ relocation: Relocation) -> Bool {
        let members = members
        switch relocation {
        case .fromLeavingStores:
            return homes(locator).contains { $0.store.map { !members.isActive($0) } ?? false }
        case .toCurrentPlacement:
            return !misplaced(locator, members).isEmpty
        }
    }

    /// Copies the shards that are to move, as `repair` does; those that cannot be read where they are are computed from
    /// the others. What would move to a store that does not answer stays.
    ///
    /// - Throws: `notFound`, `corrupt` or `quorum` where no footer can be read.
    package func relocate(
        _ locator: BlobLocator, _ relocation: Relocation
    ) async throws(StorageError) -> RepairReport {
        let members = members
        let homes: [ShardHome]
        let state: ShardStatus.State
        switch relocation {
        case .fromLeavingStores:
            homes = self.homes(locator).filter { $0.store.map { !members.isActive($0) } ?? false }
            state = .leaving
        case .toCurrentPlacement:
            homes = misplaced(locator, members)
            state = .elsewhere
        }
        guard !homes.isEmpty else { return RepairReport(locator) }
        var statuses = await scrub(locator, homes)
        guard statuses.allSatisfy({ $0.state == .sound }), let footer = statuses.first?.footer else {
            return try await repair(locator)
        }
        for index in statuses.indices { statuses[index].state = state }
        return await renew(locator, statuses, footer)
    }

    /// The shards of a blob that lie on stores which the current list does not choose for it, or beside a sibling where
    /// it chooses another store.
    ///
    /// What new blobs are not given either, since a store is full, is not to move there.
    private func misplaced(_ locator: BlobLocator, _ members: PoolMembers) -> [ShardHome] {
        var wanted = Self.wanted(locator, members)
        let homes = locator.homes(locator.order(in: members.placements), stores: members.stores.count)
        let elsewhere = homes.filter { home in
            guard let store = home.store else { return false }
            guard let left = wanted[store], left > 0 else { return true }
            wanted[store] = left - 1
            return false
        }
        let room = wanted.filter { !configuration.isFull($0.key) }.values.reduce(0, +)
        return Array(elsewhere.prefix(room))
    }

    /// Of places for shards those that the current list chooses, and that no other shard of the blob has.
    func chosen(
        _ targets: [ShardHome], beside homes: [ShardHome], _ locator: BlobLocator, _ members: PoolMembers
    ) -> [ShardHome] {
        var wanted = Self.wanted(locator, members)
        for home in homes { if let store = home.store { wanted[store, default: 0] -= 1 } }
        return targets.filter { target in
            guard let store = target.store, let left = wanted[store], left > 0 else { return false }
            wanted[store] = left - 1
            return true
        }
    }

    /// How many shards of a blob each store would have by the current list.
    private static func wanted(_ locator: BlobLocator, _ members: PoolMembers) -> [Int: Int] {
        let order = members.current.order(for: locator.name)
        return (0..<locator.geometry.shards).reduce(into: [:]) { wanted, shard in
            wanted[Int(order[shard % order.count]), default: 0] += 1
        }
    }
}
