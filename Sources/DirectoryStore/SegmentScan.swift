import NIOCore
import Storage

/// Reads what a segment holds when its store is opened.
struct SegmentScan {
    /// The most slots that a segment may have.
    private static let mostSlots: UInt32 = 1 << 20
    /// Slots that are read at once. Where none of so many was ever written, none after them was.
    private static let slotsAtOnce: UInt32 = 256

    private let file: OpenFile
    private let number: UInt64
    private var found: [(index: UInt32, slot: SegmentFormat.Slot)] = []
    /// Whether every part of the file that was asked for could be read.
    private var isReadable = true

    /// What a segment holds. Its unused end is cut off, since it is not written to again.
    ///
    /// Of the last batch, which may not have been synced, blobs count only where their payload is whole; what an
    /// earlier batch wrote was there once, and damage to it is found when it is read.
    ///
    /// - Returns: Nil for a file that is no segment of ours, or is damaged beyond reading. It is left alone.
    /// - Throws: `unavailable`, also for a format newer than this code.
    static func read(_ number: UInt64, from files: SegmentFiles) throws(StorageError) -> SegmentIndex.Table? {
        guard let file = try files.file(number) else { return nil }
        var scan = SegmentScan(file: file, number: number)
        guard let slots = try scan.countSlots() else { return nil }
        try scan.readSlots(slots)
        return try SystemError.translated { () throws(SystemError) in try scan.table(slots) }
    }

    private init(file: OpenFile, number: UInt64) {
        (self.file, self.number) = (file, number)
    }

    /// How many slots the segment has, as its header says or, where that is damaged, as the first blob shows, whose
    /// payload follows the slots.
    private mutating func countSlots() throws(StorageError) -> UInt32? {
        let start = try readable(count: SegmentFormat.slotBytes * 2, at: 0)
        switch SegmentFormat.decodeHeader(start) {
        case .header(let header):
            return header.number == number && header.slots <= Self.mostSlots ? header.slots : nil
        case .newer(let version):
            throw .unavailable("a segment has format \(version); this version reads \(SegmentFormat.version)")
        case .damaged: break
        }
        guard let bytes = start.getSlice(at: SegmentFormat.slotBytes, length: SegmentFormat.slotBytes),
            let first = SegmentFormat.decodeSlot(bytes), first.segment == number,
            first.offset.isMultiple(of: UInt32(SegmentFormat.slotBytes))
        else { return nil }
        let slots = first.offset / UInt32(SegmentFormat.slotBytes)
        return slots > 1 && slots <= Self.mostSlots ? slots : nil
    }

    private mutating func readSlots(_ slots: UInt32) throws(StorageError) {
        var next: UInt32 = 0
        while next < slots {
            let count = min(Self.slotsAtOnce, slots - next)
            let offset = Int64(next) * Int64(SegmentFormat.slotBytes)
            var bytes = try readable(count: Int(count) * SegmentFormat.slotBytes, at: offset)
            var wasWritten = bytes.readableBytes == 0
            for index in next..<next + count {
                guard let slot = bytes.readSlice(length: SegmentFormat.slotBytes) else { break }
                guard !SegmentFormat.isUnwritten(slot) else { continue }
                wasWritten = true
                guard let slot = SegmentFormat.decodeSlot(slot), slot.segment == number, slot.name.name != nil else {
                    continue
                }
                found.append((index, slot))
            }
            if !wasWritten { return }
            next += count
        }
    }

    private func table(_ slots: UInt32) throws(SystemError) -> SegmentIndex.Table {
        let used = found.map { Int64($0.slot.offset) + Int64($0.slot.length) }.max() ?? 0
        let payloads = Int64(slots) * Int64(SegmentFormat.slotBytes)
        let size = max(used.roundedUp(to: SegmentFormat.sectorBytes), payloads)
        // Where slots could not be read, their payloads may lie beyond.
        if isReadable, try size < LinuxCalls.status(of: file).size { try LinuxCalls.truncate(file, to: size) }
        let lastBatch = found.map(\.slot.batch).max() ?? 0
        var entries: [SegmentIndex.Entry] = []
        for (index, slot) in found where !slot.isDead {
            let entry = SegmentIndex.Entry(
                name: slot.name, slot: index, offset: slot.offset, length: slot.length, checksum: slot.checksum)
            if slot.batch == lastBatch, try !isWhole(entry) { continue }
            entries.append(entry)
        }
        return SegmentIndex.Table(
            segment: Segment(number: number, slots: slots, size: size), entries: try distinct(entries))
    }

    /// The entries in order of their names. Of two of one name the later replaced the earlier, which was damaged.
    private func distinct(_ entries: [SegmentIndex.Entry]) throws(SystemError) -> [SegmentIndex.Entry] {
        let ordered = entries.sorted { ($0.name, $0.slot) < ($1.name, $1.slot) }
        var distinct: [SegmentIndex.Entry] = []
        distinct.reserveCapacity(ordered.count)
        for entry in ordered {
            if let last = distinct.last, last.name == entry.name {
                try file.markDead(slot: last.slot)
                distinct.removeLast()
            }
            distinct.append(entry)
        }
        return distinct
    }

    private func isWhole(_ entry: SegmentIndex.Entry) throws(SystemError) -> Bool {
        do throws(SystemError) {
            return try file.payload(of: entry) != nil
        } catch {
            guard error.number == LinuxCalls.ioError else { throw error }
            return false
        }
    }

    /// Bytes of the file; none where the disk cannot read them, so that one bad sector takes a few blobs and not the
    /// store.
    private mutating func readable(count: Int, at offset: Int64) throws(StorageError) -> ByteBuffer {
        do throws(SystemError) {
            return try LinuxCalls.read(file, count: count, at: offset)
        } catch {
            guard error.number == LinuxCalls.ioError else { throw error.storageError }
            isReadable = false
            return ByteBuffer()
        }
    }
}
