import Metadata
import NIOCore
import Primitives
import Storage
import Synchronization

/// The stores that hold the backup, each a failure domain of its own: what is written goes to several of them, and
/// what is read may come from any. A store that hangs is gone round.
final class BackupStores: Sendable {
    /// How many stores must hold each blob: m + 1, so that the loss of any m leaves one.
    let copies: Int
    private let all: Mutex<[BackupStore]>
    /// Those that are given nothing more, by their number.
    private let leaving = Mutex<Set<Int>>([])
    private let patience: StorePatience

    init(_ stores: [any BlobStore], copies: Int, _ patience: StorePatience) {
        self.copies = copies
        self.patience = patience
        all = Mutex(stores.map { BackupStore($0, patience) })
    }

    private var stores: [BackupStore] { all.withLock { $0 } }

    var count: Int { stores.count }

    /// Takes further stores, behind those that are there.
    func add(_ more: some Sequence<any BlobStore>) {
        all.withLock { $0 += more.map { BackupStore($0, patience) } }
    }

    /// Writes one blob to `copies` stores at once, to others where some fail or hesitate.
    ///
    /// The name decides which stores are first, so that the backup is spread over all of them.
    ///
    /// - Throws: `tooFewCopies`; what was stored then stays, which harms nothing.
    func write(_ name: BlobName, _ bytes: [UInt8]) async throws(IndexBackupError) {
        let buffer = ByteBuffer(bytes: bytes)
        let wanted = max(1, copies)
        var candidates = order(for: name)[...]
        let patience = patience
        let stored = await withTaskGroup(of: (BackupCall<Void>, BackupCall<Void>.Outcome).self) { group in
            var stored = 0
            func begin() {
                while let store = candidates.popFirst() {
                    let call = store.begin { base throws(StorageError) in _ = try await base.write(name, Body(buffer)) }
                    guard let call else { continue }
                    return group.addTask { (call, await call.outcome(patience.hesitation, patience)) }
                }
            }
            for _ in 0..<wanted { begin() }
            var late: Set<ObjectIdentifier> = []
            while stored < wanted, let (call, outcome) = await group.next() {
                switch outcome {
                case .answered: stored += 1
                case .failed: begin()
                case .late where late.insert(ObjectIdentifier(call)).inserted:
                    begin()
                    let rest = patience.deadline - patience.hesitation
                    group.addTask { (call, await call.outcome(rest, patience)) }
                case .late: break  // Its time is over; another store was given the copy before.
                }
            }
            group.cancelAll()
            return stored
        }
        guard stored >= wanted else { throw .tooFewCopies(stored: stored, needed: wanted) }
    }

    /// Gives these nothing more; what they hold is still read.
    func leave(_ numbers: Set<Int>) {
        leaving.withLock { $0 = numbers }
    }

    /// The stores in the order in which they are given a blob: those that may hang last.
    private func order(for name: BlobName) -> [BackupStore] {
        let leaving = leaving.withLock { $0 }
        let stores = stores.enumerated().filter { !leaving.contains($0.offset) }.map(\.element)
        guard !stores.isEmpty else { return [] }
        let start = Int((name.counter &+ UInt64(name.random)) % UInt64(stores.count))
        let all = stores[start...] + stores[..<start]
        return all.filter { !$0.isBusy } + all.filter(\.isBusy)
    }

    /// The names of the backup's blobs of one kind in each store; nil for a store that does not answer.
    func names(_ kind: BlobName.Kind) async -> [[BlobSummary]?] {
        let stores = stores
        return await withTaskGroup(of: (Int, [BlobSummary]?).self) { group in
            for (number, store) in stores.enumerated() {
                group.addTask { (number, await Self.names(kind, in: store)) }
            }
            var lists: [[BlobSummary]?] = Array(repeating: nil, count: stores.count)
            for await (number, list) in group { lists[number] = list }
            return lists
        }
    }

    private static func names(_ kind: BlobName.Kind, in store: BackupStore) async -> [BlobSummary]? {
        guard let before = BlobName.Kind(rawValue: kind.rawValue - 1) else { return nil }
        let largest = BlobName.Shard(index: .max, attempt: .max)
        var after = BlobName(kind: before, epoch: .max, counter: .max, random: .max, shard: largest)
        var found: [BlobSummary] = []
        while true {
            let last = after
            let page = await store.call { base throws(StorageError) in try await base.blobs(after: last, limit: 1000) }
            guard let page else { return nil }
            found += page.filter { $0.name.kind == kind }
            guard let last = page.last, last.name.kind == kind else { return found }
            after = last.name
        }
    }

    /// A frame from the first of a blob's holders whose copy is whole.
    func frame(_ item: BackupCatalogue.Item, damaged: inout Set<DamagedCopy>) async -> (
        frame: BackupFrame, digest: [UInt8]
    )? {
        let stores = stores
        for holder in item.holders {
            let bytes = await Self.read(item.name, length: holder.length, from: stores[holder.store])
            if let bytes, let frame = BackupFrame(bytes) { return (frame, BackupFrame.digest(of: bytes)) }
            damaged.insert(DamagedCopy(store: holder.store, name: item.name))
        }
        return nil
    }

    private static func read(_ name: BlobName, length: Int64, from store: BackupStore) async -> [UInt8]? {
        guard length <= Int64(BackupFrame.lengthLimit) else { return nil }
        let bytes = await store.call { base throws(StorageError) -> [UInt8]? in
            var sink: any BodySink = BufferingSink(limit: BackupFrame.lengthLimit)
            try await base.read(name, range: 0..<length, into: &sink)
            return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) }
        }
        return bytes ?? nil
    }

    /// Deletes a blob wherever it is listed. What a store does not delete now is found again at the next pruning.
    func delete(_ item: BackupCatalogue.Item) async -> Bool {
        let stores = stores
        var isDeleted = true
        for holder in item.holders {
            let done: Void? = await stores[holder.store].call { base throws(StorageError) in
                try await base.delete(item.name)
            }
            if done == nil { isDeleted = false }
        }
        return isDeleted
    }
}
