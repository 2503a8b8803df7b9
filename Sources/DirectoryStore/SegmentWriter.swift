import NIOCore
import Storage
import Synchronization

/// What the thread of a segment log does: places blobs, marks deleted ones, empties sparse segments, and syncs once for
/// all of a batch.
struct SegmentWriter {
    /// Files that are written to before they are synced, beside the one that blobs are placed in.
    private static let dirtyLimit = 64
    /// Bytes of blobs that are moved out of a sparse segment with each batch.
    private static let movedBytes = 256 << 10

    let spare: SegmentSpare
    private let files: SegmentFiles
    private let trust: Trust
    /// The segment that is written to, and where in it.
    private var active: OpenSegment?
    private var nextSlot: UInt32 = 1
    private var nextOffset: Int64 = 0
    private var lastBatch: UInt64 = 0

    init(files: SegmentFiles, spare: SegmentSpare, trust: Trust) {
        (self.files, self.spare, self.trust) = (files, spare, trust)
    }

    /// What a batch has done so far.
    private struct Batch {
        /// Runs that are full, or failed, are not here.
        var run: SegmentRun?
        /// Who waits for the blobs of `run`.
        var waiting: [SegmentLog.Completion] = []
        /// Who is answered after the sync.
        var accepted: [SegmentLog.Completion] = []
        /// What was written to, by the very descriptors that were used: a failed write-back is told to each once.
        var dirty: [UInt64: OpenFile] = [:]
        var inserted: [(entry: SegmentIndex.Entry, segment: UInt64)] = []
        var removed: [(name: PackedName, segment: UInt64)] = []
        /// A segment whose last blob is moved with this batch, unless something fails.
        var emptied: UInt64?
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
        let refusal = requests.contains { $0.isWrite } ? refusal() : nil
        for request in requests {
            do throws(StorageError) {
                switch request {
                case .write(let name, let payload, let complete):
                    if let refusal { throw refusal }
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
        flush(&batch, index)
        finish(&batch, index)
        return batch.didMove
    }

    /// Why no new blob may be taken now, or nil.
    private func refusal() -> StorageError? {
        do throws(SystemError) {
            try spare.admit()
            return nil
        } catch {
            return error.storageError
        }
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
            if let file = try file(present.segment.number, index),
                try SystemError.translated({ () throws(SystemError) in try file.payload(of: present.entry) }) != nil
            {
                // The sync says whether it is still there, and makes durable what a process left that died before its.
                batch.dirty[present.segment.number] = file
                batch.accepted.append(complete)
                return
            }
            // What is there is damaged: this write replaces it.
            try markDead(name, &batch, index)
        }
        try place(name, payload, moves: false, &batch, index)
        batch.waiting.append(complete)
    }

    private func markDead(
        _ name: PackedName, _ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>
    ) throws(StorageError) {
        for location in index.withLock({ $0.locations(of: name) }) {
            let number = location.segment.number
            guard let file = try file(number, index) else { continue }
            try SystemError.translated { () throws(SystemError) in try file.markDead(slot: location.entry.slot) }
            batch.dirty[number] = file
            batch.removed.append((name, number))
            if batch.dirty.count >= Self.dirtyLimit { try sync(&batch) }
        }
    }

    /// The file of a segment; nil where somebody else deleted it, which the index learns here.
    private func file(_ number: UInt64, _ index: borrowing Mutex<SegmentIndex>) throws(StorageError) -> OpenFile? {
        if let file = try files.file(number) { return file }
        index.withLock { _ = $0.remove(number) }
        return nil
    }

    /// Adds a blob to the batch's run, in a new segment where the old one has no room.
    private mutating func place(
        _ name: PackedName, _ payload: ByteBuffer, moves: Bool, _ batch: inout Batch,
        _ index: borrowing Mutex<SegmentIndex>
    ) throws(StorageError) {
        if batch.run == nil, let active {
            batch.run = run(in: active)
        }
        if batch.run?.append(name, payload) == true { return }
        flush(&batch, index)
        // Without an active segment, one that holds nothing any more gives its room back first.
        seal(index)
        removeEmpty(index, except: batch.inserted.map(\.segment))
        let target = try SystemError.translated { () throws(SystemError) in try spare.take(toMove: moves) }
        (active, nextSlot, nextOffset) = (target, 1, target.segment.firstPayload)
        index.withLock { $0.add(SegmentIndex.Table(segment: target.segment)) }
        var run = run(in: target)
        guard run.append(name, payload) else { throw .unavailable("the blob is larger than a segment") }
        batch.run = run
    }

    private mutating func run(in target: OpenSegment) -> SegmentRun {
        lastBatch += 1
        return SegmentRun(target, firstSlot: nextSlot, firstOffset: nextOffset, batch: lastBatch)
    }

    private mutating func seal(_ index: borrowing Mutex<SegmentIndex>) {
        guard let number = active.take()?.segment.number else { return }
        index.withLock { $0.seal(number) }
    }

    /// Writes the batch's run. Where that fails, those who wait for it are told, and the segment is not written to any
    /// more: what came after would make the failed run look like one that was synced.
    private mutating func flush(_ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>) {
        defer { (batch.run, batch.waiting) = (nil, []) }
        guard let run = batch.run, !run.entries.isEmpty else { return }
        nextSlot = run.nextSlot
        nextOffset = run.nextOffset.roundedUp(to: SegmentFormat.sectorBytes)
        let number = run.target.segment.number
        do throws(SystemError) {
            try run.write()
            batch.dirty[number] = run.target.file
            batch.inserted += run.entries.map { ($0, number) }
            batch.accepted += batch.waiting
        } catch {
            for complete in batch.waiting { complete(.failure(error.storageError)) }
            batch.didMove = false
            seal(index)
        }
    }

    /// Syncs what the batch has written to; throws where any of it is not there any more.
    private func sync(_ batch: inout Batch) throws(StorageError) {
        // A sync that failed is not tried again: it might succeed, with what it was to keep lost.
        try trust.check()
        for file in batch.dirty.values {
            try trust.syncing { () throws(SystemError) in try LinuxCalls.syncData(file) }
            let links = try SystemError.translated { () throws(SystemError) in try LinuxCalls.status(of: file).links }
            guard links > 0 else { throw trust.lose("a segment was deleted by somebody else") }
        }
        batch.dirty = [:]
    }

    /// Syncs what the batch has written, lets it be seen, and answers.
    private func finish(_ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>) {
        do throws(StorageError) {
            try sync(&batch)
        } catch {
            for complete in batch.accepted { complete(.failure(error)) }
            return
        }
        index.withLock { index in
            for (name, segment) in batch.removed { index.remove(name, from: segment) }
            for (entry, segment) in batch.inserted { index.insert(entry, in: segment) }
        }
        for complete in batch.accepted { complete(.success(())) }
        if let emptied = batch.emptied, index.withLock({ $0.isSuperseded(emptied) }) { drop(emptied, index) }
        if !batch.removed.isEmpty { removeEmpty(index, except: []) }
    }

    /// Deletes a segment whose blobs are all in newer ones.
    private func drop(_ number: UInt64, _ index: borrowing Mutex<SegmentIndex>) {
        // It leaves the index first, so that who misses the file finds the new place.
        guard var table = index.withLock({ $0.remove(number) }) else { return }
        do throws(SystemError) {
            try files.remove(number)
        } catch {
            // It stays known, so that a deletion marks both copies of a blob.
            table.isPinned = true
            index.withLock { [table] in $0.add(table) }
            return
        }
        // What was moved is still marked as live in there: it must not come back after it is deleted elsewhere.
        do throws(StorageError) {
            try trust.syncing { () throws(SystemError) in try LinuxCalls.sync(files.directory) }
        } catch {
            // The store is suspect now, and says so to whoever comes next.
        }
    }

    /// Deletes segments that hold nothing. Where power fails first, they hold nothing when they are opened again.
    ///
    /// - Parameter filling: Segments that the batch writes to, whose blobs the index does not know yet.
    private func removeEmpty(_ index: borrowing Mutex<SegmentIndex>, except filling: [UInt64]) {
        let kept = Set(filling + [active?.segment.number].compactMap { $0 })
        for number in index.withLock({ $0.empty(except: kept) }) {
            index.withLock { _ = $0.remove(number) }
            do throws(SystemError) {
                try files.remove(number)
            } catch {
                // It is tried again when the store is next opened.
            }
        }
    }
}

extension SegmentWriter {
    /// Copies some blobs of the sparsest segment into the batch; the segment goes once none is left in it alone.
    private mutating func moveSome(_ batch: inout Batch, _ index: borrowing Mutex<SegmentIndex>) {
        guard let source = index.withLock({ $0.sparsest(except: active?.segment.number) }) else { return }
        let number = source.segment.number
        let removed = Set(batch.removed.map(\.name))
        var bytes = 0
        do throws(StorageError) {
            guard let file = try file(number, index) else { return }
            for entry in source.entries where !removed.contains(entry.name) {
                guard bytes < Self.movedBytes else { return }
                guard index.withLock({ $0.location(of: entry.name) })?.segment.number == number else {
                    continue  // Moved with an earlier batch.
                }
                let payload = try SystemError.translated { () throws(SystemError) in try file.payload(of: entry) }
                guard let payload else {
                    index.withLock { $0.pin(number) }
                    return
                }
                try place(entry.name, payload, moves: true, &batch, index)
                bytes += Int(entry.length) + SegmentFormat.slotBytes
                batch.didMove = true
            }
        } catch {
            return  // No room to move to, or no disk: the blobs stay where they are.
        }
        batch.emptied = number
        batch.didMove = true
    }
}
