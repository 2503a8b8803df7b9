import Configuration
import IndexBackup
import Metadata
import Primitives
import RemoteStore
import Storage
import Workers

/// How a backend is emptied, and how it goes.
extension BackendDesk {
    /// Has what a backend holds go elsewhere, and gives it nothing more. Returns at once; the gateway works on it.
    func drain(_ name: String, _ recording: Recording) async throws(BackendError) -> BackendView {
        try await alone { () throws(BackendError) in
            if let source = try await findSource(name) {
                return try await moveAdopted(source.number, source.record, recording)
            }
            let (position, store, record) = try await find(name)
            guard store.standing == .active else { return try await view(named: name) }
            try checkRoom(try await registry(), without: position)
            var changed = store
            changed.standing = .draining
            try await replace(position, store, changed, recording("DrainBackend", Self.parameters(record, position)))
            try await live?.followPlacement()
            return try await view(named: name)
        }
    }

    /// Refuses what would leave too few stores, or too few domains, for the shards of an object.
    private func checkRoom(_ registry: StoreRegistry, without position: UInt16) throws(BackendError) {
        var registry = registry
        registry.stores[position]?.standing = .draining
        let pool = launch.configuration.pool
        let count = live?.keeper.slots.count ?? registry.stores.keys.max().map { Int($0) + 1 } ?? 0
        let wanted = registry.wanted(of: count, pool, node: launch.configuration.node)
        let domains = wanted.domains.map { Set($0).count } ?? wanted.stores.count
        guard domains * max(1, pool.parityShards) >= pool.dataShards + pool.parityShards else {
            throw BackendError(
                .conflict,
                "Without it the \(pool.dataShards) + \(pool.parityShards) shards of an object have too few places; "
                    + "attach another one first.")
        }
    }

    /// Lets go of a backend that holds nothing any more, and removes what is left of Tidegate's own there.
    ///
    /// - Throws: `conflict` where it was not drained, or holds shards still.
    func detach(_ name: String, _ recording: Recording) async throws(BackendError) -> BackendView {
        try await alone { () throws(BackendError) in
            if let source = try await findSource(name) {
                return try await detachAdopted(source.number, source.record, recording)
            }
            let (position, store, record) = try await find(name)
            guard store.standing == .draining else {
                throw BackendError(.conflict, "`\(name)` is in use; `tidegate backend drain \(name)` empties it first.")
            }
            guard let live else {
                throw BackendError(.unavailable, "A backend is detached by the gateway that drained it; start it.")
            }
            // Where the gateway could not follow the drain at once, no list may be closed that it still places by.
            try await live.followPlacement()
            try await closeLists(with: position)
            guard await live.repairsHaveEnded() else {
                throw BackendError(.conflict, "Repairs under way may still name it; try again.")
            }
            let left = try await live.blobsLeaving()
            guard left == 0 else {
                live.emptying.lookAgain()
                throw BackendError(
                    .conflict,
                    "Shards of \(Counted(left, "blob")) lie on stores that are drained; `tidegate backend list` tells "
                        + "how far that is.")
            }
            try await live.copyIndexElsewhere()
            let isEmptied = try await live.empty(position)
            var gone = store
            gone.standing = .detached
            gone.backend?.credentials = []
            var parameters = Self.parameters(record, position)
            parameters["emptied"] = isEmptied ? "true" : "false"
            try await replace(position, store, gone, recording("DetachBackend", parameters))
            await live.keeper.retire(position)
            live.histories.forget(position)
            guard let backend = gone.backend else { throw BackendError(.unknown, "There is no backend `\(name)`.") }
            let rest = isEmptied ? nil : "it did not answer, so that what lies there was left"
            return BackendView(position, gone, backend, absence: rest)
        }
    }
}

extension BackendDesk {
    /// From here on no blob becomes known that was placed by a list which has the store: a slow upload that began
    /// before the store was drained may have put a shard there that nothing names yet.
    private func closeLists(with position: UInt16) async throws(BackendError) {
        let lists = try await registry().lists.filter { $0.value.stores.contains(position) }
        try await commit([], lists.map { .put(Keys.closedPlacement($0.key), [1]) }, [])
    }
}

extension Deployment {
    /// Returns once the repairs have ended that began by a list which had a store that is drained now.
    ///
    /// - Returns: False where they take too long.
    func repairsHaveEnded() async -> Bool {
        do throws(CancellationError) {
            return try await claims.settle(within: .seconds(60), environment)
        } catch {
            return false
        }
    }

    /// Blobs with shards on stores that are drained.
    func blobsLeaving() async throws(BackendError) -> Int {
        do throws(WorkerError) {
            return try await WorkerParts(self) { _ in }.repair.countToMove()
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
    }

    /// Returns once the copies of the index on the stores that stay are whole without the others.
    func copyIndexElsewhere() async throws(BackendError) {
        do throws(IndexBackupError) {
            try await backup.takeSnapshot()
            try await backup.flush()
        } catch {
            throw BackendError(.unavailable, "The index could not be copied to the other stores: \(error)")
        }
    }

    /// Removes everything from a store that no record names: replaced shards, orphans, copies of the index, and last of
    /// all whose it is.
    ///
    /// - Returns: False where the store is away: what lies there stays.
    func empty(_ position: UInt16) async throws(BackendError) -> Bool {
        guard let store = keeper.slots[Int(position)].store as? BackendStore else { return false }
        do throws(StorageError) {
            while true {
                let page = try await store.blobs(after: nil, limit: 1000)
                guard !page.isEmpty else { break }
                for blob in page { try await store.delete(blob.name) }
            }
            try await store.remote.removeIdentity()
            return true
        } catch {
            throw BackendError(.unavailable, "The backend could not be emptied: \(error)")
        }
    }
}
