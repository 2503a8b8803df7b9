package import Primitives

/// A store of the deployment, under `Keys.store`: which store is meant by a position in placements and exceptions.
package struct StoreRecord: Sendable, Hashable {
    /// Whether a store is given shards, and whether it may hold some.
    package enum Standing: UInt64, Sendable {
        case active = 0
        /// It is given nothing more, and what it holds goes elsewhere.
        case draining = 1
        /// It is gone for good and holds nothing; its position stays taken, since old locators may name it.
        case detached = 2
    }

    /// The store's own id: 16 bytes, which its identity carries too.
    package var id: [UInt8]
    /// Where it was last attached, for messages.
    package var place: String
    /// Whether its directory was the root of a file system of its own. An empty directory that is none is then no
    /// replaced disk, but the place where the disk is not mounted.
    package var isMountPoint: Bool
    /// When a store was first attached in this position.
    package var attached: Timestamp
    /// Whether it was away when it was last looked at, so that it may lack what was written since.
    package var isAway: Bool
    /// The bucket of another service that it is; nil for a directory.
    package var backend: BackendRecord?
    package var standing = Standing.active
    /// How much of what is stored it is to hold, beside the others: 1…`mostWeight`.
    package var weight = StoreRecord.usualWeight
    /// How much a backend can hold, in bytes, as somebody said; nil where nobody did.
    package var capacity: Int64?

    /// What a store weighs of which nothing is said.
    package static let usualWeight: UInt16 = 100
    package static let mostWeight: UInt16 = 10_000

    package init(
        id: [UInt8], place: String, isMountPoint: Bool, attached: Timestamp, isAway: Bool = false,
        backend: BackendRecord? = nil
    ) {
        (self.id, self.place, self.isMountPoint, self.attached) = (id, place, isMountPoint, attached)
        (self.isAway, self.backend) = (isAway, backend)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.bytes(1, id)
        writer.text(2, place)
        writer.number(3, isMountPoint ? 1 : 0 as UInt64)
        writer.number(4, attached.nanoseconds)
        writer.number(5, isAway ? 1 : 0 as UInt64)
        if let backend { writer.record(6) { backend.write(to: &$0) } }
        writer.number(7, standing.rawValue)
        if weight != Self.usualWeight { writer.number(8, UInt64(weight)) }
        if let capacity { writer.number(9, capacity) }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        (id, place, isMountPoint, attached, isAway) = ([], "", false, Timestamp(nanoseconds: 0), false)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: id = value.bytes
            case 2: place = value.text
            case 3: isMountPoint = value.number != 0
            case 4: attached = Timestamp(nanoseconds: value.signed)
            case 5: isAway = value.number != 0
            case 6: backend = try BackendRecord(value.record())
            case 7:
                guard let known = Standing(rawValue: value.number) else { throw .malformed }
                standing = known
            case 8: weight = try value.exactly()
            case 9: capacity = try value.exactly()
            default: break
            }
        }
        guard id.count == 16, (1...Self.mostWeight).contains(weight), capacity.map({ $0 > 0 }) ?? true else {
            throw .malformed
        }
    }
}

/// A list of stores by which blobs were placed, under `Keys.placement`. It never changes under its epoch.
package struct PlacementRecord: Sendable, Hashable {
    /// Positions of stores.
    package var stores: [UInt16]
    /// The failure domain of each; nil where each is one of its own.
    package var domains: [UInt16]?
    /// The weight of each, 1…`StoreRecord.mostWeight`; nil where they are all the same.
    package var weights: [UInt16]?

    package init(stores: [UInt16], domains: [UInt16]? = nil, weights: [UInt16]? = nil) {
        (self.stores, self.domains, self.weights) = (stores, domains, weights)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.bytes(1, Self.pack(stores))
        if let domains { writer.bytes(2, Self.pack(domains)) }
        if let weights { writer.bytes(3, Self.pack(weights)) }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        (stores, domains, weights) = ([], nil, nil)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: stores = try Self.unpack(value.bytes)
            case 2: domains = try Self.unpack(value.bytes)
            case 3: weights = try Self.unpack(value.bytes)
            default: break
            }
        }
        guard !stores.isEmpty, domains.map({ $0.count == stores.count }) ?? true,
            weights.map({ $0.count == stores.count && $0.allSatisfy((1...StoreRecord.mostWeight).contains) }) ?? true
        else { throw .malformed }
    }

    private static func pack(_ numbers: [UInt16]) -> [UInt8] {
        numbers.flatMap { [UInt8(truncatingIfNeeded: $0 >> 8), UInt8(truncatingIfNeeded: $0)] }
    }

    private static func unpack(_ bytes: [UInt8]) throws(RecordError) -> [UInt16] {
        guard bytes.count % 2 == 0 else { throw .malformed }
        return stride(from: 0, to: bytes.count, by: 2).map { UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1]) }
    }
}
