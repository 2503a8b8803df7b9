import NIOCore

/// A file of small blobs, as the index and the writer know it.
struct Segment: Sendable, Equatable {
    let number: UInt64
    /// Slots, the header's included.
    let slots: UInt32
    /// Bytes of the file that slots and blobs may take.
    let size: Int64

    /// Where payloads begin.
    var firstPayload: Int64 { Int64(slots) * Int64(SegmentFormat.slotBytes) }

    /// Takes the room that a segment needs: where there is none, that shows before any of it is taken.
    ///
    /// - Parameter size: A multiple of 64 KiB; a sixteenth of it is for slots.
    static func allocate(_ size: Int64, from temporaries: TemporaryFiles) throws(SystemError) -> TemporaryFile {
        let file = try temporaries.make()
        try LinuxCalls.allocate(file.file, size: size)
        return file
    }

    /// Makes a segment: zeros written and synced, named, the directory synced.
    static func make(
        _ number: UInt64, size: Int64, of file: TemporaryFile, in directory: OpenFile
    ) throws(SystemError) -> OpenSegment {
        let slots = UInt32(SegmentFormat.slots(of: size))
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
        return OpenSegment(segment: Segment(number: number, slots: slots, size: size), file: file.file)
    }
}

/// A segment that is written to.
struct OpenSegment: Sendable {
    let segment: Segment
    let file: OpenFile
}

extension OpenFile {
    /// A blob of this segment; nil where its bytes are not whole.
    func payload(of entry: SegmentIndex.Entry) throws(SystemError) -> ByteBuffer? {
        let bytes = try LinuxCalls.read(self, count: Int(entry.length), at: Int64(entry.offset))
        guard bytes.readableBytes == Int(entry.length), CChecksumsCalls.crc32c(bytes) == entry.checksum else {
            return nil
        }
        return bytes
    }

    /// Marks a blob of this segment as deleted, durably once the file is synced.
    func markDead(slot: UInt32) throws(SystemError) {
        let offset = Int64(slot) * Int64(SegmentFormat.slotBytes) + SegmentFormat.stateOffset
        try LinuxCalls.write(ByteBuffer(integer: SegmentFormat.dead), to: self, at: offset)
    }
}

extension Int64 {
    func roundedUp(to multiple: Int64) -> Int64 {
        (self + multiple - 1) / multiple * multiple
    }
}
