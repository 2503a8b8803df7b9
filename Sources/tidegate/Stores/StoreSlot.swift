import NIOCore
import Primitives
import Storage
import Synchronization

/// One position of the pool's list: the store that is attached there, if any.
///
/// A store may go and come back while the gateway runs; the pool meanwhile finds it unavailable. A call that is under
/// way when the store goes ends on the store that it began with.
final class StoreSlot: BlobStore {
    let position: Int

    private enum State {
        case attached(any AttachedStore)
        /// The sentence says why.
        case detached(String)
        /// The store is gone for good, and held nothing: there is nothing in it, and nothing is put there.
        case gone
    }

    private let state = Mutex(State.detached("it was not attached yet"))
    private let placed: Mutex<StorePlace>
    private let bytesWritten = Atomic<Int64>(0)

    init(position: Int, place: StorePlace) {
        self.position = position
        placed = Mutex(place)
    }

    /// Where the store is. What is said of a backend may change while it is attached, such as its credentials.
    var place: StorePlace {
        get { placed.withLock { $0 } }
        set { placed.withLock { $0 = newValue } }
    }

    /// What messages call the place.
    var path: String { place.description }

    func attach(_ store: any AttachedStore) {
        state.withLock { $0 = .attached(store) }
    }

    /// Takes the store from the slot; nil where there was none.
    func detach(_ reason: String) -> (any AttachedStore)? {
        state.withLock { state in
            defer { state = .detached(reason) }
            guard case .attached(let store) = state else { return nil }
            return store
        }
    }

    /// Gives the slot up for good; what was attached is returned.
    func retire() -> (any AttachedStore)? {
        state.withLock { state in
            defer { state = .gone }
            guard case .attached(let store) = state else { return nil }
            return store
        }
    }

    var isGone: Bool {
        if case .gone = state.withLock({ $0 }) { true } else { false }
    }

    /// The store that is attached.
    var store: (any AttachedStore)? {
        guard case .attached(let store) = state.withLock({ $0 }) else { return nil }
        return store
    }

    /// Why no store is attached; nil where one is.
    var absence: String? {
        guard case .detached(let reason) = state.withLock({ $0 }) else { return nil }
        return reason
    }

    /// The store to be asked; nil where it is gone for good.
    private func current() throws(StorageError) -> (any AttachedStore)? {
        switch state.withLock({ $0 }) {
        case .attached(let store): return store
        case .detached(let reason): throw .unavailable("\(path): \(reason)")
        case .gone: return nil
        }
    }

    // MARK: BlobStore

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        guard let store = try current() else { throw .unavailable("\(path): it was detached") }
        let receipt = try await store.write(name, body)
        bytesWritten.wrappingAdd(receipt.length, ordering: .relaxed)
        return receipt
    }

    /// Bytes that were written to whatever store was in the slot since the process began.
    var written: Int64 { bytesWritten.load(ordering: .relaxed) }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        guard let store = try current() else { throw .notFound }
        try await store.read(name, range: range, into: &sink)
    }

    func readAtOnce(_ name: BlobName, range: Range<Int64>) throws(StorageError) -> ByteBuffer? {
        guard let store = try current() else { throw .notFound }
        return try store.readAtOnce(name, range: range)
    }

    func delete(_ name: BlobName) async throws(StorageError) {
        try await current()?.delete(name)
    }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await current()?.blobs(after: after, limit: limit) ?? []
    }

    // MARK: Identity

    func identity() async throws(StorageError) -> StoreIdentity? {
        try await current()?.readIdentity()
    }

    func mark(_ identity: StoreIdentity) async throws(StorageError) {
        try await current()?.writeIdentity(identity)
    }
}
