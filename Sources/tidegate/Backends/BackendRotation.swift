import Metadata
import Primitives
import RemoteStore
import Storage

/// How a backend gets other credentials.
extension BackendDesk {
    /// Tries credentials, and signs with them from then on.
    ///
    /// - Throws: `refused` where the backend does not let its identity be read with them, or an adopted bucket not be
    ///   listed.
    func rotate(
        _ name: String, _ credentials: BackendCredentials, _ recording: Recording
    ) async throws(BackendError) -> BackendView {
        try await alone { () throws(BackendError) in
            guard credentials.arePlain else {
                throw .invalid("Access key, secret key and session token are of visible ASCII characters.")
            }
            let vault = try vault()
            if let source = try await findSource(name) {
                return try await rotateAdopted(source.number, source.record, credentials, vault, recording)
            }
            let (position, store, record) = try await find(name)
            let next = try sealing(credentials, record, vault)
            try await tryOut(next, vault, id: store.id)
            var changed = store
            changed.backend = next
            var parameters = Self.parameters(record, position)
            parameters["accessKey"] = credentials.accessKey
            try await replace(position, store, changed, recording("RotateBackendCredentials", parameters))
            return try await view(named: name)
        }
    }

    private func sealing(
        _ credentials: BackendCredentials, _ record: BackendRecord, _ vault: BackendVault
    ) throws(BackendError) -> BackendRecord {
        var next = record
        do throws(StartError) {
            try vault.seal(credentials, into: &next)
        } catch {
            throw BackendError(.unavailable, error.description)
        }
        return next
    }

    private func rotateAdopted(
        _ number: UInt16, _ source: SourceRecord, _ credentials: BackendCredentials, _ vault: BackendVault,
        _ recording: Recording
    ) async throws(BackendError) -> BackendView {
        var changed = source
        changed.backend = try sealing(credentials, source.backend, vault)
        do throws(StorageError) {
            let remote = try vault.store(changed.backend)
            defer { remote.close() }
            _ = try await remote.objectKeys(from: nil)
        } catch {
            throw BackendError(.refused, "The new credentials are not taken: \(error)")
        }
        var parameters = Self.parameters(source.backend, number)
        parameters["store"] = nil
        (parameters["source"], parameters["accessKey"]) = (String(number), credentials.accessKey)
        try await replace(number, source, changed, recording("RotateBackendCredentials", parameters))
        live?.adopted.store(number)?.use(credentials.forSigning)
        return sourceView(number, changed)
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
