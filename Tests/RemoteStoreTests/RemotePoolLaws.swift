import Erasure
import Pools
import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

/// The laws of blob stores, kept by a pool whose stores are on different servers.
@Suite(.enabled(if: !RemoteServers.endpoints.isEmpty, RemoteServers.missing))
struct RemotePoolLaws {
    @Test(arguments: BlobStoreLaws.all) func hold(_ law: BlobStoreLaw) async throws {
        let stores = try (0..<6).map { position in
            // As many on each server as on any other, or one more.
            let servers = RemoteServers.endpoints
            var connection = try RemoteServers.connection(servers[position % servers.count])
            // Small enough that some shards of the laws go out in parts.
            connection.settings.bufferedBytes = 20_000
            return try RemoteStore(
                name: "\(connection.name)-\(position)", endpoint: connection.endpoint,
                credentials: connection.credentials, settings: connection.settings, environment: SystemEnvironment())
        }
        defer { for store in stores { store.close() } }
        let geometry = try Geometry(dataShards: 4, parityShards: 2, cellSize: 4096)
        let configuration = PoolConfiguration(
            deployment: try DeploymentID([UInt8](repeating: 7, count: 16)), geometry: geometry)
        let pool = try ErasurePool(stores: stores, configuration: configuration, environment: SystemEnvironment())
        try await law.check(WholeNames(base: pool), seed: 1)
        for store in stores {
            for blob in try await store.blobs(after: nil, limit: 10_000) { try await store.delete(blob.name) }
        }
    }
}
