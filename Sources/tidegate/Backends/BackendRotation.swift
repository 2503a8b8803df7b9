import Metadata
import Primitives
import RemoteStore
import Storage

/// How a backend gets other credentials.
extension BackendDesk {
    /// Tries credentials, and signs with them from then on.
    ///
    /// - Throws: `refused` where the backend does not let its identity be read with them.
    func rotate(
        _ name: String, _ credentials: BackendCredentials, _ recording: Recording
    ) async throws(BackendError) -> BackendView {
        try await alone { () throws(BackendError) in
            guard credentials.arePlain else {
                throw .invalid("Access key, secret key and session token are of visible ASCII characters.")
            }
            let (position, store, record) = try await find(name)
            let vault = try vault()
            var next = record
            do throws(StartError) {
                try vault.seal(credentials, into: &next)
            } catch {
                throw BackendError(.unavailable, error.description)
            }
            try await tryOut(next, vault, id: store.id)
            var changed = store
            changed.backend = next
            var parameters = Self.parameters(record, position)
            parameters["accessKey"] = credentials.accessKey
            try await replace(position, store, changed, recording("RotateBackendCredentials", parameters))
            return try await view(named: name)
        }
    }

    private func tryOut(_ record: BackendRecord, _ vault: BackendVault, id: [UInt8]) async throws(BackendError) {
        do throws(StorageError) {
            let remote = try vault.store(record)
            defer { remote.close() }
            let identity = try await BackendStore.identity(of: remote, launch.environment).get()
            guard identity?.store == id else { throw .corrupt("\(record.name): another store is there") }
        } catch {
            throw BackendError(.refused, "The new credentials are not taken: \(error)")
        }
    }
}
