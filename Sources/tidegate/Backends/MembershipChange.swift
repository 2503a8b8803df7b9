import Configuration
import IndexBackup
import Metadata
import Pools
import Primitives
import Storage
import Workers

/// How a running gateway follows a change of its stores.
extension Deployment {
    /// Takes in a store that was attached: it is given shards from now on, and copies of the index.
    func follow(attached store: StoreRecord, at position: UInt16, _ vault: BackendVault) async throws(BackendError) {
        guard let backend = store.backend else { return }
        do throws(WorkerError) {
            let slot = try await keeper.add(store, backend, vault)
            guard slot.position == Int(position) else {
                throw WorkerError.refused("store \(position) became number \(slot.position) of the pool")
            }
            backup.add([slot])
        } catch {
            throw BackendError(.unavailable, "It is attached, but the gateway could not take it in: \(error)")
        }
        try await followPlacement()
    }

    /// Places new blobs by what the index knows of the stores now.
    func followPlacement() async throws(BackendError) {
        let settings = launch.configuration
        do throws(StartError) {
            let registry = try await StoreRegistry.read(index)
            let slots = keeper.slots
            let wanted = registry.wanted(of: slots.count, settings.pool, node: settings.node)
            let placements = try await registry.placements(wanted, commits)
            try StartError.translated("The pool") { () throws(StorageError) in try pool.use(slots, placements) }
            backup.leave(registry.leaving)
        } catch {
            throw BackendError(.unavailable, "The next start places shards by it; this gateway could not: \(error)")
        }
    }
}
