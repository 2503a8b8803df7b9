import NIOCore
import Storage
import Synchronization

/// What the thread of a segment log does: places blobs, marks deleted ones, empties sparse segments, and syncs once for
/// all of a batch.
struct SegmentWriter {
    /// Bytes of blobs that are moved out of a sparse segment with each batch.
    private static let movedBytes = 256 << 10

    let spare: SegmentSpare
    private let directory: OpenFile
    private let segmentBytes: Int64
    private let trust: Trust
    /// The segment that is written to, and where in it.
    private var active: Segment?
    private var nextSlot: UInt32 = 1
    private var nextOffset: Int64 = 0
    private var lastBatch: UInt64 = 0

    init(directory: OpenFile, spare: SegmentSpare, segmentBytes: Int64, trust: Trust) {
        (self.directory, self.spare, self.segmentBytes, self.trust) = (directory, spare, segmentBytes, trust)
    }

    /// What a batch has done so far.
    private struct Batch {
        /// Runs that are full, or failed, are not here.
        var run: SegmentRun?
        /// Who waits for the blobs of `run`.
        var waiting: [SegmentLog.Completion] = []
        /// Who is answered after the sync.
        var accepted: [SegmentLog.Completion] = []
        var dirty: [UInt64: Segment] = [:]
        var inserted: [(entry: SegmentIndex.Entry, segment: UInt64)] = []
        var removed: [(name: PackedName, segment: UInt64)] = []
        /// A segment whose last blob is moved with this batch, unless something fails.
        var emptied: Segment?
        var didMove = false
    }

    /// Does what is asked, and moves some blobs out of the sparsest segment.
    ///
    /// - Returns: Whether blobs were moved, so that there may be more to move.
    mutating func perform(_ requests: [SegmentLog.Request], _ index: borrowing Mutex<SegmentIndex>) -> Bool {
        var batch = Batch()
        do throws(StorageError) {
            try trust.check()
        } catch {
            for request in requests { request.complete(.failure(error)) }
            return false
        }
        for request in requests {
            do throws(StorageError) {
                switch request {
                case .write(let name, let payload, let complete):
                    try write(name, payload, complete, &batch, index)
                case .delete(let name, let complete):
                    try markDead(name, &batch, index)
                    batch.accepted.append(complete)
                }
            } catch {
                request.complete(.failure(error))
            }
        }
        moveSome(&batch, index)
        flush(&batch)
        finish(batch, index)
        return batch.didMove
    }

    /// Places a blob that is not here yet.
    private mutating func write(
        _ name: PackedName, _ payload: ByteBuffer, _ complete: @escaping SegmentLog.Completion, _ batch: inout Batch,
        _ index: borrowing Mutex<SegmentIndex>
    ) throws(StorageError) {
        if let present = index.withLock({ $0.location(of: name) }) {
            guard present.entry.length == payload.readableBytes,
                present.entry.checksum == CChecksumsCalls.crc32c(payload)
            else { throw .corrupt("a blob is there with other bytes") }
            if try reading({ () throws(SystemError) in try present.segment.payload(of: present.entry) }) != nil {
                batch.accepted.append(complete)
                return
            }
            // What is there is damaged: this write replaces it.
            try markDead(name, &batch, index)
        }
        try place(name, payload, &batch, index)
        batch.waiting.append(complete)
    }

    private func markDead(
        _ name: PackedName, _ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>
    ) throws(StorageError) {
        for location in index.withLock({ $0.locations(of: name) }) {
            try reading { () throws(SystemError) in try location.segment.markDead(location.entry) }
            batch.dirty[location.segment.number] = location.segment
            batch.removed.append((name, location.segment.number))
        }
    }

    /// Adds a blob to the batch's run, in a new segment where the old one has no room.
    private mutating func place(
        _ name: PackedName, _ payload: ByteBuffer, _ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>
    ) throws(StorageError) {
        if batch.run == nil, let active {
            batch.run = run(in: active)
        }
        if batch.run?.append(name, payload) == true { return }
        flush(&batch)
        // Without an active segment, one that holds nothing any more gives its room back first.
        active = nil
        removeEmpty(index, except: batch.inserted.map(\.segment))
        let segment = try reading { () throws(SystemError) in try spare.take() }
        (active, nextSlot, nextOffset) = (segment, 1, segment.firstPayload)
        index.withLock { $0.add(SegmentIndex.Table(segment: segment)) }
        var run = run(in: segment)
        guard run.append(name, payload) else { throw .unavailable("the blob is larger than a segment") }
        batch.run = run
    }

    private mutating func run(in segment: Segment) -> SegmentRun {
        lastBatch += 1
        return SegmentRun(segment, firstSlot: nextSlot, firstOffset: nextOffset, batch: lastBatch)
    }

    /// Writes the batch's run. Where that fails, those who wait for it are told, and its place is not used again.
    private mutating func flush(_ batch: inout Batch) {
        guard let run = batch.run else { return }
        nextSlot = run.nextSlot
        nextOffset = run.nextOffset.roundedUp(to: SegmentFormat.sectorBytes)
        do throws(SystemError) {
            try run.write()
            batch.dirty[run.segment.number] = run.segment
            batch.inserted += run.entries.map { ($0, run.segment.number) }
            batch.accepted += batch.waiting
        } catch {
            for complete in batch.waiting { complete(.failure(error.storageError)) }
            batch.didMove = false
        }
        (batch.run, batch.waiting) = (nil, [])
    }

    /// Syncs what the batch has written, lets it be seen, and answers.
    private func finish(_ batch: Batch, _ index: borrowing Mutex<SegmentIndex>) {
        do throws(StorageError) {
            for segment in batch.dirty.values {
                try trust.syncing { () throws(SystemError) in try LinuxCalls.syncData(segment.file) }
                let links = try reading { () throws(SystemError) in try LinuxCalls.status(of: segment.file).links }
                guard links > 0 else { throw trust.lose("a segment was deleted by somebody else") }
            }
        } catch {
            for complete in batch.accepted { complete(.failure(error)) }
            return
        }
        index.withLock { index in
            for (name, segment) in batch.removed { index.remove(name, from: segment) }
            for (entry, segment) in batch.inserted { index.insert(entry, in: segment) }
        }
        for complete in batch.accepted { complete(.success(())) }
        if let emptied = batch.emptied, index.withLock({ $0.isSuperseded(emptied.number) }) {
            index.withLock { $0.remove(emptied.number) }
            removeFile(emptied)
            // What was moved is still marked as live in there: it must not come back after it is deleted elsewhere.
            do throws(StorageError) {
                try trust.syncing { () throws(SystemError) in try LinuxCalls.sync(directory) }
            } catch {
                // The store is suspect now, and says so to whoever comes next.
            }
        }
        if !batch.removed.isEmpty { removeEmpty(index, except: []) }
    }

    /// Deletes segments that hold nothing. Where power fails first, they hold nothing when they are opened again.
    ///
    /// - Parameter filling: Segments that the batch writes to, whose blobs the index does not know yet.
    private func removeEmpty(_ index: borrowing Mutex<SegmentIndex>, except filling: [UInt64]) {
        let kept = Set(filling + [active?.number].compactMap { $0 })
        for segment in index.withLock({ $0.empty(except: kept) }) {
            index.withLock { $0.remove(segment.number) }
            removeFile(segment)
        }
    }

    private func removeFile(_ segment: Segment) {
        do throws(SystemError) {
            try LinuxCalls.removeFile(FileLayout.segment(segment.number), in: directory)
        } catch {
            // It is tried again when the store is next opened.
        }
    }

    private func reading<Value>(_ work: () throws(SystemError) -> Value) throws(StorageError) -> Value {
        do throws(SystemError) {
            return try work()
        } catch {
            throw error.storageError
        }
    }
}

extension SegmentWriter {
    /// Copies some blobs of the sparsest segment into the batch; the segment goes once none is left in it alone.
    private mutating func moveSome(_ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>) {
        guard let source = index.withLock({ $0.sparsest(except: active?.number, segmentBytes: segmentBytes) }) else {
            return
        }
        let removed = Set(batch.removed.map(\.name))
        var bytes = 0
        for entry in source.entries where !removed.contains(entry.name) {
            guard bytes < Self.movedBytes else { return }
            guard index.withLock({ $0.location(of: entry.name) })?.segment.number == source.segment.number else {
                continue  // Moved with an earlier batch.
            }
            do throws(StorageError) {
                let payload = try reading { () throws(SystemError) in try source.segment.payload(of: entry) }
                guard let payload else {
                    index.withLock { $0.pin(source.segment.number) }
                    return
                }
                try place(entry.name, payload, &batch, index)
            } catch {
                return  // No room to move to, or no disk: the blobs stay where they are.
            }
            bytes += Int(entry.length) + SegmentFormat.slotBytes
            batch.didMove = true
        }
        batch.emptied = source.segment
        batch.didMove = true
    }
}
