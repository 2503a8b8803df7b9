import Erasure
package import NIOCore
package import Primitives
package import Storage
import Synchronization

/// Objects of one group alone share a pack: one tenant's, of one lock class, so that none is kept or read for another's
/// sake.
package struct PackGroup: Hashable, Sendable {
    package var key: [UInt8]

    package init(_ key: [UInt8]) {
        self.key = key
    }
}

/// Where a small object lies: some bytes of a blob that it may share with others.
package struct PackedBlob: Hashable, Sendable {
    package var locator: BlobLocator
    /// Where the object begins in the blob. Its length is the caller's.
    package var offset: Int64
}

/// Writes small objects, those that arrive together into one blob: one sync a store for all of them.
///
/// An object that arrives alone is written at once, by itself; those that come while as many blobs as may be are being
/// written make up the next. So nobody waits for a timer, and the more arrive, the more share. Packs are kept as whole
/// copies on m + 1 stores (the page SmallObjects says why).
package final class Packer: Sendable {
    /// The limits of a pack, and how many are written at once in a group.
    package struct Limits: Sendable {
        /// Objects above this are no business of a packer.
        package var objectBytes = 128 << 10
        package var packBytes = 2 << 20
        package var packObjects = 512
        package var packsInFlight = 2

        package init() {}
    }

    package let limits: Limits
    private let pool: ErasurePool
    private let geometry: Geometry
    private let newName: @Sendable () -> BlobName
    private let state = Mutex(PackerState())

    /// - Parameters:
    ///   - newName: Draws the name of a pack; never the same twice.
    /// - Throws: `unavailable` where the pool's geometry allows no copies; it always does.
    package init(
        _ pool: ErasurePool, limits: Limits = Limits(), newName: @escaping @Sendable () -> BlobName
    ) throws(StorageError) {
        (self.pool, self.limits, self.newName) = (pool, limits, newName)
        let parity = pool.configuration.geometry.parityShards
        geometry = try ErasurePool.translated { () throws(ErasureError) in
            try Geometry(dataShards: 1, parityShards: parity, cellSize: Self.cellSize)
        }
    }

    /// Small, since reading an object reads and checks the cells that it touches.
    private static let cellSize = 16 << 10

    /// Writes an object, and returns once it is durable.
    ///
    /// - Parameter recovery: What brings the object back without the index; all records of a pack share 64 KiB.
    /// - Throws: `unavailable` for an object or a record above the limits; `source` where the task was cancelled;
    ///   whatever `ErasurePool.store` throws, for all objects of the pack alike.
    package func pack(
        _ bytes: ByteBuffer, group: PackGroup, recovery: [UInt8]
    ) async throws(StorageError) -> PackedBlob {
        guard bytes.readableBytes <= limits.objectBytes,
            PackRecord.headerSize + PackRecord.Entry.size(recovery: recovery.count) <= ShardFooter.mostRecovery
        else { throw .unavailable("an object of \(bytes.readableBytes) bytes is no small one") }
        let (number, batch) = state.withLock { $0.add(bytes, recovery, group, limits) }
        if let batch { start(batch) }
        let result: Result<PackedBlob, StorageError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let ready = state.withLock { $0.wait(number, continuation) }
                if let ready { continuation.resume(returning: ready) }
            }
        } onCancel: {
            let waiter = state.withLock { $0.cancel(number, group) }
            waiter?.resume(returning: .failure(PackerState.cancelled))
        }
        return try result.get()
    }

    /// Objects that wait for a pack to be begun: a metric.
    package var waitingObjects: Int { state.withLock { $0.waitingObjects } }

    /// Starts to write a pack, in a task that no caller's cancellation ends.
    private func start(_ batch: PackerState.Batch) {
        _ = pool.launcher { [self] in
            var next: PackerState.Batch? = batch
            while let batch = next { next = await write(batch) }
        }
    }

    /// Writes a pack and tells its callers; returns the next one of the group, where one is waiting.
    private func write(_ batch: PackerState.Batch) async -> PackerState.Batch? {
        var result: Result<BlobLocator, StorageError>
        let record = batch.record.encoded
        do throws(StorageError) {
            let body = Body(buffers: batch.objects.map(\.bytes))
            result = .success(try await pool.store(newName(), body, geometry: pool.ofNew(geometry)) { record })
        } catch {
            result = .failure(error)
        }
        let (waiters, isWanted, next) = state.withLock { $0.finish(batch, result, limits) }
        for waiter in waiters { waiter.continuation.resume(returning: waiter.result) }
        if !isWanted, case .success(let locator) = result { await removeUnwanted(locator) }
        return next
    }

    /// Removes a pack all of whose callers have gone.
    private func removeUnwanted(_ locator: BlobLocator) async {
        do throws(StorageError) {
            try await pool.remove(locator)
        } catch {
            // It is an orphan then, which the collector finds.
        }
    }
}
