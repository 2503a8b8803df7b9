import NIOCore
import Primitives
import Storage

/// A file of small blobs. Every method blocks and runs on the store's threads.
final class Segment: Sendable {
    let number: UInt64
    let file: OpenFile
    /// Slots, the header's included.
    let slots: UInt32
    /// Bytes of the file that blobs may take; less for a segment that was cut to what it holds.
    let size: Int64

    private init(number: UInt64, file: OpenFile, slots: UInt32, size: Int64) {
        (self.number, self.file, self.slots, self.size) = (number, file, slots, size)
    }

    /// Where payloads begin.
    var firstPayload: Int64 { Int64(slots) * Int64(SegmentFormat.slotBytes) }

    /// Makes a segment: zeros written and synced, named, the directory synced.
    ///
    /// - Parameter size: A multiple of 64 KiB; a sixteenth of it is for slots.
    static func make(
        _ number: UInt64, size: Int64, in directory: OpenFile, from temporaries: TemporaryFiles
    ) throws(SystemError) -> Segment {
        let slots = UInt32(SegmentFormat.slots(of: size))
        let file = try temporaries.make()
        // Where there is no room, that shows before any of it is taken.
        try LinuxCalls.allocate(file.file, size: size)
        let zeros = ByteBuffer(repeating: 0, count: Int(min(size, 1 << 20)))
        var offset: Int64 = 0
        while offset < size {
            try file.write([zeros], at: offset)
            offset += Int64(zeros.readableBytes)
        }
        try file.write([SegmentFormat.encode(SegmentFormat.Header(slots: slots, number: number))], at: 0)
        try file.sync()
        try file.publish(as: FileLayout.segment(number), in: directory)
        try LinuxCalls.sync(directory)
        return Segment(number: number, file: file.file, slots: slots, size: size)
    }

    /// Opens a segment and reads what it holds. Its unused end is cut off, since it is not written to again.
    ///
    /// Of the last batch, which may not have been synced, blobs count only where their payload is whole; what an
    /// earlier batch wrote was there once, and damage to it is found when it is read.
    ///
    /// - Returns: Nil for a file that is no segment of ours.
    static func open(
        _ name: String, in directory: OpenFile, threads: IOThreads
    ) throws(SystemError) -> SegmentIndex.Table? {
        let file = try LinuxCalls.open(name, below: directory, .update, closedOn: threads)
        let status = try LinuxCalls.status(of: file)
        guard status.isRegular,
            let header = SegmentFormat.decodeHeader(
                try LinuxCalls.read(file, count: SegmentFormat.slotBytes, at: 0)),
            FileLayout.segment(header.number).utf8.elementsEqual(name.utf8), header.slots <= 1 << 20
        else { return nil }
        let slots = try readSlots(of: file, header)
        let used = slots.map { Int64($0.slot.offset) + Int64($0.slot.length) }.max() ?? 0
        let payloads = Int64(header.slots) * Int64(SegmentFormat.slotBytes)
        let size = max(used.roundedUp(to: SegmentFormat.sectorBytes), payloads)
        if size < status.size { try LinuxCalls.truncate(file, to: size) }
        let segment = Segment(number: header.number, file: file, slots: header.slots, size: size)
        let lastBatch = slots.map(\.slot.batch).max() ?? 0
        var table = SegmentIndex.Table(segment: segment)
        for (index, slot) in slots where !slot.isDead {
            let entry = SegmentIndex.Entry(
                name: slot.name, slot: index, offset: slot.offset, length: slot.length, checksum: slot.checksum)
            if slot.batch == lastBatch, try segment.payload(of: entry) == nil { continue }
            table.entries.append(entry)
            table.liveBytes += Int64(entry.length)
        }
        table.entries.sort { $0.name < $1.name }
        return table
    }

    private static func readSlots(
        of file: OpenFile, _ header: SegmentFormat.Header
    ) throws(SystemError) -> [(index: UInt32, slot: SegmentFormat.Slot)] {
        let bytes = try LinuxCalls.read(file, count: Int(header.slots) * SegmentFormat.slotBytes, at: 0)
        var slots: [(index: UInt32, slot: SegmentFormat.Slot)] = []
        for index in 1..<max(1, header.slots) {
            guard let piece = bytes.getSlice(at: Int(index) * SegmentFormat.slotBytes, length: SegmentFormat.slotBytes),
                let slot = SegmentFormat.decodeSlot(piece), slot.segment == header.number, slot.name.name != nil
            else { continue }
            slots.append((index, slot))
        }
        return slots
    }

    /// A blob's bytes; nil where they are not whole.
    func payload(of entry: SegmentIndex.Entry) throws(SystemError) -> ByteBuffer? {
        let bytes = try LinuxCalls.read(file, count: Int(entry.length), at: Int64(entry.offset))
        guard bytes.readableBytes == Int(entry.length), CChecksumsCalls.crc32c(bytes) == entry.checksum else {
            return nil
        }
        return bytes
    }

    /// Marks a blob as deleted, durably once the file is synced.
    func markDead(_ entry: SegmentIndex.Entry) throws(SystemError) {
        let offset = Int64(entry.slot) * Int64(SegmentFormat.slotBytes) + SegmentFormat.stateOffset
        try LinuxCalls.write(ByteBuffer(integer: SegmentFormat.dead), to: file, at: offset)
    }
}

extension Int64 {
    func roundedUp(to multiple: Int64) -> Int64 {
        (self + multiple - 1) / multiple * multiple
    }
}
