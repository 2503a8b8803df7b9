import Gateway
import Metadata
import Primitives
import RemoteStore
import Storage
import Synchronization

/// The buckets of other services whose objects are served from where they are.
final class AdoptedBuckets: ForeignObjects {
    private let stores: Mutex<[UInt16: RemoteStore]>
    /// Runs that are still to be moved, when that was looked at last.
    private let left = Mutex<[UInt16: Int]>([:])

    /// - Parameter vault: opens their credentials; nil where there is no key: nothing can be read from them then.
    init(_ records: [UInt16: SourceRecord], _ vault: BackendVault?) {
        var stores: [UInt16: RemoteStore] = [:]
        for (number, record) in records where record.standing != .detached {
            do throws(StorageError) {
                stores[number] = try vault?.store(record.backend)
            } catch {
                continue  // Whoever reads from it is told that it is not attached.
            }
        }
        self.stores = Mutex(stores)
    }

    func store(_ number: UInt16) -> RemoteStore? { stores.withLock { $0[number] } }

    func attach(_ store: RemoteStore, as number: UInt16) {
        stores.withLock { $0[number] = store }
    }

    func detach(_ number: UInt16) {
        stores.withLock { $0.removeValue(forKey: number) }?.close()
    }

    func note(left count: Int, of number: UInt16) {
        left.withLock { $0[number] = count }
    }

    func left(of number: UInt16) -> Int? { left.withLock { $0[number] } }

    func read(
        _ place: ForeignPlace, range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError) {
        guard let store = store(place.source) else {
            throw .unavailable("the adopted bucket \(place.source) is not attached")
        }
        try await store.readObject(place.key, etag: place.etag, range: range, into: &sink)
    }

    func close() {
        for store in stores.withLock({ $0.values }) { store.close() }
    }
}
