import DirectoryStore
import Erasure
import NIOCore
import Primitives

/// What lies on the disks of the stores.
extension FuzzTarget {
    /// The header of a shard; where the first byte is odd, its checksum is put right.
    static let shardHeader = FuzzTarget("shard-header") {
        let header = ShardHeader(
            deployment: try ShardExample.deployment(), name: ShardExample.blob.shard(3, attempt: 1),
            geometry: .standard,
            placementEpoch: 7)
        let bytes = Array(header.encoded.readableBytesView)
        return [Example("sound", [0] + bytes), Example("sealed", [1] + bytes), Example("cut", [0] + bytes.dropLast())]
    } run: { bytes in
        var reader = InputReader(bytes)
        let isSealed = reader.byte() & 1 == 1
        let encoded = isSealed ? try ShardExample.sealed(Array(reader.rest)) : Array(reader.rest)
        let decoded = Result { () throws(ErasureError) in try ShardHeader(decoding: ByteBuffer(bytes: encoded)) }
        guard case .success(let header) = decoded else { return false }
        try require(Array(header.encoded.readableBytesView) == encoded, "a header with a second form")
        try require((1...32).contains(header.geometry.dataShards), "a geometry outside the limits")
        try require(Int(header.name.shard?.index ?? 255) < header.geometry.shards, "a shard that its blob has not")
        return true
    }

    /// The footer of a shard. Where the first byte is odd, what follows is length, stripes and recovery record of one
    /// that is written; else it is the bytes of one.
    static let shardFooter = FuzzTarget("shard-footer") {
        let footer = ShardFooter(length: 300_000, roots: [1, 2, 3, 4, 5, 6], recovery: [7, 8, 9])
        let bytes = Array(try footer.encoded(try ShardExample.checksum(), stripes: 1).readableBytesView)
        return [
            Example("sound", [0] + bytes), Example("cut", [0] + bytes.dropLast()),
            Example("written", [1, 0, 0, 0, 0, 0, 4, 0x93, 0xE0, 0, 0, 0, 0, 0, 0, 0, 1, 7, 8]),
            Example("stripes", [1, 0, 0, 0, 0, 0, 4, 0x93, 0xE0, 0, 0, 0, 0, 0, 0, 0, 2, 7, 8]),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        let isWritten = reader.byte() & 1 == 1
        let checksum = try ShardExample.checksum()
        var encoded = Array(reader.rest)
        if isWritten {
            let (length, stripes) = (ShardExample.number(&reader), ShardExample.number(&reader))
            let footer = ShardFooter(length: length, roots: [1, 2, 3, 4, 5, 6], recovery: Array(reader.rest))
            let written = Result { () throws(ErasureError) in try footer.encoded(checksum, stripes: stripes) }
            guard case .success(let bytes) = written else { return false }
            encoded = Array(bytes.readableBytesView)
        }
        let buffer = ByteBuffer(bytes: encoded)
        let decoded = Result { () throws(ErasureError) in
            try ShardFooter(decoding: buffer, checksum, geometry: .standard)
        }
        guard case .success(let footer) = decoded else { return false }
        let layout = try ShardLayout(.standard, length: footer.length)
        let again = try footer.encoded(checksum, stripes: layout.stripes)
        try require(Array(again.readableBytesView) == encoded, "a footer with a second form")
        return true
    }

    /// Header and slot of a file of small blobs: 64 bytes each. Where the first byte is odd, a slot of these values is
    /// written first.
    static let segmentSlot = FuzzTarget("segment-slot") {
        let slot = SegmentFormat.Slot(
            segment: 1, batch: 2, name: PackedName(ShardExample.blob.shard(1)), offset: 4096, length: 9, checksum: 5)
        let header = SegmentFormat.encode(SegmentFormat.Header(slots: 16, number: 1))
        return [
            Example("slot", [0] + SegmentFormat.encode(slot).readableBytesView),
            Example("header", [0] + header.readableBytesView),
            Example("written", [1] + SegmentFormat.encode(slot).readableBytesView.dropFirst(8)),
            Example("empty", [UInt8](repeating: 0, count: 65)),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        if reader.byte() & 1 == 1 {
            let slot = ShardExample.slot(&reader)
            let read = SegmentFormat.decodeSlot(SegmentFormat.encode(slot))
            try require(read == slot, "a slot is read otherwise once written")
            guard let name = slot.name.name else { return false }
            try require(PackedName(name).name == name, "a name is read otherwise once packed")
            return true
        }
        let buffer = ByteBuffer(bytes: reader.rest)
        switch SegmentFormat.decodeHeader(buffer) {
        case .header(let header):
            let again = SegmentFormat.decodeHeader(SegmentFormat.encode(header))
            try require(again == .header(header), "a header is read otherwise once written")
            return true
        case .newer, .damaged: break
        }
        guard let slot = SegmentFormat.decodeSlot(buffer) else { return false }
        let again = Array(SegmentFormat.encode(slot).readableBytesView)
        // The state is whatever it is: all but one value mean a live blob.
        try require(again.prefix(60) == reader.rest.prefix(60), "a slot with a second form")
        return true
    }
}

/// A deployment, a blob and its checksum.
private enum ShardExample {
    static let blob = BlobName(epoch: 1, counter: 2, random: 3)

    static func deployment() throws -> DeploymentID { try DeploymentID([UInt8](repeating: 5, count: 16)) }

    static func checksum() throws -> ShardChecksum {
        ShardChecksum(deployment: try deployment(), blob: blob, shard: 2)
    }

    /// The first 64 bytes of a header with the checksum that they ought to have.
    static func sealed(_ bytes: [UInt8]) throws -> [UInt8] {
        let body = Array(bytes.prefix(64))
        guard body.count == 64, let name = BlobName(bytes: body[32..<51]) else { return bytes }
        let checksum = ShardChecksum(
            deployment: try DeploymentID(Array(body[16..<32])), blob: name, shard: Int(name.shard?.index ?? 255))
        var sealed = ByteBuffer(bytes: body)
        sealed.writeInteger(checksum.of(.header, sealed.readableBytesSpan))
        return Array(sealed.readableBytesView)
    }

    static func number(_ reader: inout InputReader) -> Int64 {
        reader.take(8).reduce(0) { $0 << 8 | Int64($1) }
    }

    static func slot(_ reader: inout InputReader) -> SegmentFormat.Slot {
        func word(_ reader: inout InputReader) -> UInt64 { UInt64(bitPattern: number(&reader)) }
        func half(_ reader: inout InputReader) -> UInt32 { reader.take(4).reduce(0) { $0 << 8 | UInt32($1) } }
        let (segment, batch) = (word(&reader), word(&reader))
        let name = PackedName(high: word(&reader), counter: word(&reader), low: word(&reader))
        return SegmentFormat.Slot(
            segment: segment, batch: batch, name: name, offset: half(&reader), length: half(&reader),
            checksum: half(&reader), isDead: reader.byte() & 1 == 1)
    }
}
