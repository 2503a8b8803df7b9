import Metadata
import Pools

/// The stores of the pool, directories as well as backends, and how much each is to hold.
extension BackendDesk {
    /// The document of a change of weight.
    struct WeightDocument: Codable, Sendable {
        var weight: Int
    }

    /// Every store that is not gone for good, by position.
    func stores() async throws(BackendError) -> [PoolStoreView] {
        try await registry().stores.filter { $0.value.standing != .detached }.sorted { $0.key < $1.key }
            .map { storeView($0.key, $0.value) }
    }

    func storeView(_ position: UInt16, _ record: StoreRecord) -> PoolStoreView {
        let slots = live?.keeper.slots ?? []
        let absence = Int(position) < slots.count ? slots[Int(position)].absence : nil
        return PoolStoreView(position, record, absence: absence, live?.capacities.filling)
    }

    /// Gives a store another weight: new blobs are placed by it, and those that are there stay where they are.
    ///
    /// - Parameter name: a backend's name, or a directory's position.
    /// - Throws: `invalid`, `unknown`, `conflict`, `unavailable`.
    func weigh(_ name: String, _ weight: Int, _ recording: Recording) async throws(BackendError) -> PoolStoreView {
        let weight = try Self.checked(weight: weight)
        return try await alone { () throws(BackendError) in
            let (position, store) = try await findStore(name)
            guard store.weight != weight else { return storeView(position, store) }
            var changed = store
            changed.weight = weight
            var parameters = store.backend.map { Self.parameters($0, position) } ?? Self.parameters(store, position)
            (parameters["weight"], parameters["formerWeight"]) = (String(weight), String(store.weight))
            try await replace(position, store, changed, recording("SetBackendWeight", parameters))
            try await live?.followPlacement()
            return storeView(position, changed)
        }
    }

    /// The document of a change of capacity: bytes, or 0 where nobody knows.
    struct CapacityDocument: Codable, Sendable {
        var capacity: Int64
    }

    /// Says how much a backend can hold; 0 where nobody knows.
    ///
    /// - Throws: `invalid`, `unknown`, `conflict`, `unavailable`.
    func limit(_ name: String, _ bytes: Int64, _ recording: Recording) async throws(BackendError) -> PoolStoreView {
        let capacity = try Self.checked(capacity: bytes)
        return try await alone { () throws(BackendError) in
            let (position, store, record) = try await find(name)
            guard store.capacity != capacity else { return storeView(position, store) }
            var changed = store
            changed.capacity = capacity
            var parameters = Self.parameters(record, position)
            parameters["capacity"] = capacity.map { String($0) } ?? "none"
            parameters["formerCapacity"] = store.capacity.map { String($0) } ?? "none"
            try await replace(position, store, changed, recording("SetBackendCapacity", parameters))
            await live?.capacities.look(at: position)
            return storeView(position, changed)
        }
    }

    /// - Returns: Nil for 0.
    static func checked(capacity: Int64) throws(BackendError) -> Int64? {
        guard (0...Self.mostCapacity).contains(capacity) else {
            throw .invalid("A capacity is a number of bytes, up to 2⁶⁰.")
        }
        return capacity == 0 ? nil : capacity
    }

    private static let mostCapacity: Int64 = 1 << 60

    static func checked(weight: Int) throws(BackendError) -> UInt16 {
        guard let exact = UInt16(exactly: weight), (1...StoreRecord.mostWeight).contains(exact) else {
            throw .invalid("A weight is a whole number of 1 to \(StoreRecord.mostWeight).")
        }
        return exact
    }

    /// A backend is found by its name alone, so that what policies say of the name holds.
    private func findStore(_ name: String) async throws(BackendError) -> (position: UInt16, record: StoreRecord) {
        guard PoolStoreView.isPosition(name), let position = UInt16(name) else {
            let (position, store, _) = try await find(name)
            return (position, store)
        }
        guard let store = try await registry().stores[position], store.standing != .detached else {
            throw BackendError(.unknown, "There is no store \(position).")
        }
        if let backend = store.backend {
            throw .invalid("Store \(position) is the backend `\(backend.name)`; name it.")
        }
        return (position, store)
    }

    private static func parameters(_ record: StoreRecord, _ position: UInt16) -> [String: String] {
        ["store": String(position), "directory": record.place]
    }
}

extension PoolStoreView {
    /// Whether a word is a position, as paths and commands name a directory: no backend's name begins with a digit.
    static func isPosition(_ text: String) -> Bool {
        (1...5).contains(text.utf8.count) && text.utf8.allSatisfy { (0x30...0x39).contains($0) }
    }
}
