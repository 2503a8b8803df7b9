package import Erasure
package import Primitives
package import Storage

/// All that is needed to read a blob of an erasure pool; the index keeps it.
package struct BlobLocator: Hashable, Sendable {
    /// The name of the whole blob.
    package var name: BlobName
    /// Bytes of the blob.
    package var length: Int64
    package var geometry: Geometry
    /// Which list of stores it was placed by.
    package var placementEpoch: UInt32
    /// Shards that lie elsewhere than the placement says, at most one entry a shard.
    package var exceptions: [ShardException]

    package init(
        name: BlobName, length: Int64, geometry: Geometry, placementEpoch: UInt32, exceptions: [ShardException] = []
    ) {
        (self.name, self.length, self.geometry) = (name.whole, length, geometry)
        (self.placementEpoch, self.exceptions) = (placementEpoch, exceptions)
    }

    /// The exception of a shard, where there is one.
    func exception(_ shard: Int) -> ShardException? { exceptions.first { Int($0.index) == shard } }

    /// The stores of a list in the order in which they hold the shards; by the current list, which is the last, where
    /// the blob's is not known any more.
    ///
    /// - Parameter placements: never empty.
    func order(in placements: [Placement]) -> [UInt16] {
        let placement = placements.last { $0.epoch == placementEpoch } ?? placements[placements.count - 1]
        return placement.order(for: name)
    }

    /// The store of each shard, by its position; nil where none holds it.
    ///
    /// - Parameters:
    ///   - placements: the lists by which blobs were placed, the current one last.
    ///   - stores: how many there are.
    package func stores(placedBy placements: [Placement], of stores: Int) -> [Int?] {
        guard !placements.isEmpty else { return Array(repeating: nil, count: geometry.shards) }
        return homes(order(in: placements), stores: stores).map(\.store)
    }
}

extension BlobLocator {
    /// Where each shard of the blob lies.
    ///
    /// - Parameters:
    ///   - order: of the stores, by the blob's placement.
    ///   - stores: how many positions there are.
    package func homes(_ order: [UInt16], stores: Int) -> [ShardHome] {
        (0..<geometry.shards).map { home($0, order, stores: stores) }
    }

    /// Where one shard of the blob lies.
    func home(_ index: Int, _ order: [UInt16], stores: Int) -> ShardHome {
        guard let exception = exception(index) else {
            return ShardHome(index: index, store: Int(order[index % order.count]), attempt: 0)
        }
        let store = exception.store.map { Int($0) }.flatMap { $0 < stores ? $0 : nil }
        return ShardHome(index: index, store: store, attempt: exception.attempt)
    }
}

/// Where one shard of a blob lies.
package struct ShardHome: Hashable, Sendable {
    package var index: Int
    /// Position in the pool's list of stores; nil where no store holds it.
    package var store: Int?
    package var attempt: UInt8

    package func name(of blob: BlobName) -> BlobName { blob.shard(UInt8(truncatingIfNeeded: index), attempt: attempt) }
}
