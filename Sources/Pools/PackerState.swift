import Erasure
import NIOCore
import Primitives
import Storage

/// What a `Packer` decides, without waiting.
struct PackerState {
    typealias Waiter = CheckedContinuation<Result<PackedBlob, StorageError>, Never>

    struct Object: Sendable {
        var number: UInt64
        var bytes: ByteBuffer
        var recovery: [UInt8]
    }

    /// Objects that make up one pack.
    struct Batch: Sendable {
        var group: PackGroup
        var objects: [Object]

        /// Where each object begins.
        var offsets: [Int64] {
            var (offsets, end): ([Int64], Int64) = ([], 0)
            for object in objects {
                offsets.append(end)
                end += Int64(object.bytes.readableBytes)
            }
            return offsets
        }

        var record: PackRecord {
            PackRecord(
                entries: zip(objects, offsets).map { object, offset in
                    PackRecord.Entry(
                        offset: offset, length: Int64(object.bytes.readableBytes), recovery: object.recovery)
                })
        }
    }

    private struct Group {
        var waiting: [Object] = []
        var inFlight = 0
    }

    /// What is known of a caller: that it waits, or what it will be told.
    private enum Caller {
        case unknown
        case waits(Waiter)
        case told(Result<PackedBlob, StorageError>)
    }

    static let cancelled = StorageError.source(BodyError(.cancelled, "The upload was cancelled."))

    private var groups: [PackGroup: Group] = [:]
    private var callers: [UInt64: Caller] = [:]
    private var last: UInt64 = 0

    var waitingObjects: Int { groups.values.reduce(0) { $0 + $1.waiting.count } }

    /// Adds an object; returns its number, and a pack to be written now.
    mutating func add(
        _ bytes: ByteBuffer, _ recovery: [UInt8], _ group: PackGroup, _ limits: Packer.Limits
    ) -> (UInt64, Batch?) {
        last += 1
        callers[last] = .unknown
        groups[group, default: Group()].waiting.append(Object(number: last, bytes: bytes, recovery: recovery))
        guard groups[group]?.inFlight ?? 0 < limits.packsInFlight else { return (last, nil) }
        groups[group]?.inFlight += 1
        return (last, nextBatch(group, limits))
    }

    /// The waiting objects of a group, as many as a pack may have.
    private mutating func nextBatch(_ group: PackGroup, _ limits: Packer.Limits) -> Batch? {
        guard let waiting = groups[group]?.waiting, !waiting.isEmpty else { return nil }
        var (count, bytes, record) = (0, 0, PackRecord.headerSize)
        for object in waiting.prefix(limits.packObjects) {
            bytes += object.bytes.readableBytes
            record += PackRecord.Entry.size(recovery: object.recovery.count)
            if count > 0, bytes > limits.packBytes || record > ShardFooter.mostRecovery { break }
            count += 1
        }
        groups[group]?.waiting.removeFirst(count)
        return Batch(group: group, objects: Array(waiting.prefix(count)))
    }

    /// What the caller is to be told at once, or nil where it waits.
    mutating func wait(_ number: UInt64, _ waiter: Waiter) -> Result<PackedBlob, StorageError>? {
        switch callers[number] {
        case .told(let result):
            callers[number] = nil
            return result
        case .unknown:
            callers[number] = .waits(waiter)
            return nil
        case .waits, nil: return .failure(Self.cancelled)
        }
    }

    /// Forgets a caller. An object that is not being written yet is dropped; another one stays in its pack as dead
    /// bytes.
    mutating func cancel(_ number: UInt64, _ group: PackGroup) -> Waiter? {
        groups[group]?.waiting.removeAll { $0.number == number }
        switch callers[number] {
        case .waits(let waiter):
            callers[number] = nil
            return waiter
        case .unknown:
            callers[number] = .told(.failure(Self.cancelled))
            return nil
        case .told, nil: return nil
        }
    }

    /// Whom to tell what, whether anybody wants the pack, and which one is next.
    mutating func finish(
        _ batch: Batch, _ result: Result<BlobLocator, StorageError>, _ limits: Packer.Limits
    ) -> (
        waiters: [(continuation: Waiter, result: Result<PackedBlob, StorageError>)], isWanted: Bool, next: Batch?
    ) {
        var (waiters, isWanted): ([(continuation: Waiter, result: Result<PackedBlob, StorageError>)], Bool) = (
            [], false
        )
        for (object, offset) in zip(batch.objects, batch.offsets) {
            let packed = result.map { PackedBlob(locator: $0, offset: offset) }
            switch callers[object.number] {
            case .waits(let waiter):
                callers[object.number] = nil
                waiters.append((waiter, packed))
                isWanted = true
            case .unknown:
                callers[object.number] = .told(packed)
                isWanted = true
            case .told, nil: break
            }
        }
        let next = nextBatch(batch.group, limits)
        if next == nil {
            groups[batch.group]?.inFlight -= 1
            if groups[batch.group]?.inFlight == 0 { groups[batch.group] = nil }
        }
        return (waiters, isWanted, next)
    }
}
