package import Storage

extension RemoteStore {
    /// Takes away what says whose the store is. To be called once it holds no blob.
    package func removeIdentity() async throws(StorageError) {
        let call = RemoteCall(operation: "DeleteObject", method: "DELETE", key: names.identity)
        do throws(RemoteFault) {
            _ = try await client.perform(call, limit: ErrorAnswer.byteLimit)
        } catch {
            guard !error.isNotFound else { return }
            throw storageError(error)
        }
    }
}
