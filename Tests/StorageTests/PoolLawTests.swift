import Erasure
import Pools
import Storage
import Testing
import TidegateTesting

@Suite struct PoolLawTests {
    static let geometries = [(4, 2, 65_536, 6), (1, 2, 16_384, 6), (4, 2, 16_384, 3), (2, 0, 4096, 2)]

    @Test(arguments: geometries, BlobStoreLaws.all)
    func aPoolKeepsTheLawsOfStores(_ shape: (k: Int, m: Int, cell: Int, stores: Int), _ law: BlobStoreLaw) async throws
    {
        let geometry = try Geometry(dataShards: shape.k, parityShards: shape.m, cellSize: shape.cell)
        let harness = try PoolHarness(stores: shape.stores, geometry: geometry)
        try await law.check(WholeNames(base: harness.pool), seed: 1)
    }

    /// Laws that speak of what is not there cannot hold while a store that may have it is away.
    static let lawsOfWhatIsThere = BlobStoreLaws.all.filter { law in
        law.description.contains("read") && !law.description.contains("concurrent")
    }

    @Test(arguments: lawsOfWhatIsThere)
    func aPoolWithAsManyStoresDownAsItHasParityKeepsThem(_ law: BlobStoreLaw) async throws {
        #expect(Self.lawsOfWhatIsThere.count >= 3)
        let geometry = try Geometry(dataShards: 4, parityShards: 2, cellSize: 16_384)
        let harness = try PoolHarness(stores: 8, geometry: geometry, configure: { $0.suspicion = .seconds(60) })
        harness.faulty[1].isAvailable = false
        harness.faulty[4].isAvailable = false
        try await law.check(WholeNames(base: harness.pool), seed: 2)
    }
}
