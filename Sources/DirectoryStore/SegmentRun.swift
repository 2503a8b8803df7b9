import NIOCore

/// Blobs that are written to a segment at once: their slots in a row, and their payloads in a row.
struct SegmentRun {
    let target: OpenSegment
    private let firstSlot: UInt32
    private let firstOffset: Int64
    private let batch: UInt64
    private var slots = ByteBuffer()
    private var payloads = ByteBuffer()
    /// What is written.
    private(set) var entries: [SegmentIndex.Entry] = []

    /// - Parameters:
    ///   - firstOffset: Where payloads go, a multiple of a sector.
    ///   - batch: The number of the batch, higher than any before in the segment.
    init(_ target: OpenSegment, firstSlot: UInt32, firstOffset: Int64, batch: UInt64) {
        (self.target, self.firstSlot, self.firstOffset, self.batch) = (target, firstSlot, firstOffset, batch)
    }

    var nextSlot: UInt32 { firstSlot + UInt32(entries.count) }

    var nextOffset: Int64 { firstOffset + Int64(payloads.readableBytes) }

    /// Adds a blob; false where the segment has no room for it.
    mutating func append(_ name: PackedName, _ payload: ByteBuffer) -> Bool {
        let (segment, length) = (target.segment, Int64(payload.readableBytes))
        guard nextSlot < segment.slots, nextOffset + length <= segment.size else { return false }
        let entry = SegmentIndex.Entry(
            name: name, slot: nextSlot, offset: UInt32(nextOffset), length: UInt32(length),
            checksum: CChecksumsCalls.crc32c(payload))
        slots.writeImmutableBuffer(
            SegmentFormat.encode(
                SegmentFormat.Slot(
                    segment: segment.number, batch: batch, name: name, offset: entry.offset, length: entry.length,
                    checksum: entry.checksum)))
        payloads.writeImmutableBuffer(payload)
        payloads.writeRepeatingByte(0, count: Int(length.roundedUp(to: 8) - length))
        entries.append(entry)
        return true
    }

    /// Writes all that was added; it is durable once the file is synced.
    func write() throws(SystemError) {
        try LinuxCalls.write(payloads, to: target.file, at: firstOffset)
        try LinuxCalls.write(slots, to: target.file, at: Int64(firstSlot) * Int64(SegmentFormat.slotBytes))
    }
}
