import Erasure
import Foundation
import NIOCore
import Primitives
import Testing

/// A blob as its shards' bytes, built the way a writer does.
struct BuiltBlob {
    let geometry: Geometry
    let shards: [[UInt8]]
    let checksums: [ShardChecksum]
    let footer: ShardFooter

    static let name = BlobName(epoch: 7, counter: 0x0102_0304_0506_0708, random: 0xdead_beef)

    static func deployment() throws -> DeploymentID { try DeploymentID((0..<16).map { UInt8($0) }) }

    init(
        _ bytes: [UInt8], geometry: Geometry, recovery: [UInt8] = [], expected: Int64? = nil, buffer: Int = 1000
    ) throws {
        self.geometry = geometry
        let deployment = try Self.deployment()
        checksums = (0..<geometry.shards).map { ShardChecksum(deployment: deployment, blob: Self.name, shard: $0) }
        var builder = StripeBuilder(
            geometry, code: try ErasureCode(geometry), checksums: checksums, expected: expected)
        var shards = (0..<geometry.shards).map { index in
            Array(
                ShardHeader(
                    deployment: deployment, name: Self.name.shard(UInt8(index)), geometry: geometry, placementEpoch: 3
                ).encoded.readableBytesView)
        }
        func seal() throws {
            let stripe = try builder.seal()
            for index in shards.indices { shards[index] += stripe.piece(index).readableBytesView }
        }
        for start in stride(from: 0, to: bytes.count, by: buffer) {
            var piece = ByteBuffer(bytes: bytes[start..<min(start + buffer, bytes.count)])
            while piece.readableBytes > 0 {
                builder.fill(from: &piece)
                if builder.isFull { try seal() }
            }
        }
        if !builder.isEmpty { try seal() }
        footer = ShardFooter(length: builder.length, roots: builder.roots, recovery: recovery)
        for index in shards.indices {
            shards[index] += try footer.encoded(checksums[index], stripes: builder.stripes).readableBytesView
        }
        self.shards = shards
    }
}

@Suite struct ShardFormatTests {
    @Test func theChecksumIsCRC64XZ() throws {
        #expect(ReferenceCode.crc64(Array("123456789".utf8)) == 0x995d_c9bb_df19_39fa)
        let deployment = try BuiltBlob.deployment()
        let identity = deployment.bytes + BuiltBlob.name.bytes + [5]
        let checksum = ShardChecksum(deployment: deployment, blob: BuiltBlob.name.shard(9), shard: 5)
        var generator = TestGenerator(seed: 1)
        let cell = generator.bytes(777)
        let sum = checksum.ofCell(ByteBuffer(bytes: cell).readableBytesSpan, stripe: 0x0102)
        #expect(sum == ReferenceCode.crc64(identity + [0, 0, 0, 0, 0, 0, 1, 2] + cell))
    }

    @Test(arguments: [0, 1, 63, 64, 65, 255, 256, 257, 1023, 1024, 1025, 4096, 5000, 10_240])
    func shardsAreLaidOutAsTheLayoutSays(_ length: Int) throws {
        let geometry = try Geometry(dataShards: 4, parityShards: 2, cellSize: 256)
        var generator = TestGenerator(seed: UInt64(length))
        let bytes = generator.bytes(length)
        let layout = try ShardLayout(geometry, length: Int64(length))
        for expected in [nil, Int64(length), 1, 700, 1 << 40] {
            for buffer in [33, 1024, 1 << 20] {
                let blob = try BuiltBlob(
                    bytes, geometry: geometry, recovery: [1, 2], expected: expected, buffer: buffer)
                for (index, shard) in blob.shards.enumerated() {
                    #expect(shard.count == Int(layout.footerOffset) + ShardFooter.size(shards: 6, recovery: 2))
                    guard index < 4 else { continue }
                    for stripe in 0..<layout.stripes {
                        let start = Int(layout.offset(ofStripe: stripe))
                        let content = Array(shard[start..<start + layout.cellSize(inStripe: stripe)])
                        let range = layout.content(ofShard: index, inStripe: stripe)
                        let base = Int(stripe) * geometry.stripeSize
                        #expect(content.prefix(range.count) == bytes[base + range.lowerBound..<base + range.upperBound])
                        #expect(content.dropFirst(range.count).allSatisfy { $0 == 0 })
                    }
                }
            }
        }
    }

    @Test func smallBlobsAreNotPaddedToFullCells() throws {
        let geometry = try Geometry(dataShards: 4, parityShards: 2, cellSize: 128 << 10)
        #expect(try ShardLayout(geometry, length: 4096).footerOffset == 72 + 1024 + 8)
        #expect(try ShardLayout(geometry, length: 1).footerOffset == 72 + 64 + 8)
        #expect(try ShardLayout(geometry, length: 0).footerOffset == 72)
        #expect(try ShardLayout(geometry, length: (512 << 10) + 1).footerOffset == 72 + 131_072 + 8 + 64 + 8)
    }

    @Test func headersAndFootersAreReadBack() throws {
        let geometry = try Geometry(dataShards: 3, parityShards: 1, cellSize: 640)
        let blob = try BuiltBlob([UInt8](repeating: 9, count: 5000), geometry: geometry, recovery: [4, 5, 6])
        for (index, shard) in blob.shards.enumerated() {
            let header = try ShardHeader(decoding: ByteBuffer(bytes: shard.prefix(72)))
            #expect(header.name == BuiltBlob.name.shard(UInt8(index)))
            #expect(header.geometry == geometry)
            #expect(header.placementEpoch == 3)
            let trailer = try ShardFooter.Trailer(
                decoding: ByteBuffer(bytes: shard.suffix(24)), blob.checksums[index])
            #expect(trailer.length == 5000)
            let footer = try ShardFooter(
                decoding: ByteBuffer(bytes: shard.suffix(trailer.footerSize)), blob.checksums[index],
                geometry: geometry)
            #expect(footer == blob.footer)
            #expect(footer.recovery == [4, 5, 6])
        }
    }

    @Test func everyFlippedBitOfHeaderAndFooterIsFound() throws {
        let geometry = try Geometry(dataShards: 2, parityShards: 1, cellSize: 64)
        let blob = try BuiltBlob([1, 2, 3], geometry: geometry, recovery: [4, 5, 6])
        let (shard, checksum) = (blob.shards[1], blob.checksums[1])
        for bit in 0..<72 * 8 {
            var bytes = Array(shard.prefix(72))
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: ErasureError.self) { try ShardHeader(decoding: ByteBuffer(bytes: bytes)) }
        }
        let size = ShardFooter.size(shards: 3, recovery: 3)
        for bit in 0..<size * 8 {
            var bytes = Array(shard.suffix(size))
            bytes[bit / 8] ^= 1 << (bit % 8)
            #expect(throws: ErasureError.self) {
                try ShardFooter(decoding: ByteBuffer(bytes: bytes), checksum, geometry: geometry)
            }
        }
        #expect(throws: ErasureError.self, "a footer of another shard") {
            try ShardFooter(decoding: ByteBuffer(bytes: shard.suffix(size)), blob.checksums[0], geometry: geometry)
        }
    }

    @Test func recoveryRecordsHaveALimit() throws {
        let geometry = try Geometry(dataShards: 1, parityShards: 0, cellSize: 64)
        _ = try BuiltBlob([1], geometry: geometry, recovery: [UInt8](repeating: 1, count: 64 << 10))
        #expect(throws: ErasureError.self) {
            try BuiltBlob([1], geometry: geometry, recovery: [UInt8](repeating: 1, count: (64 << 10) + 1))
        }
    }

    /// The file was written by format version 1 and is never changed: later versions must go on reading it.
    @Test func theSampleOfFormatVersion1IsRead() throws {
        let path = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "Samples/shard-v1.hex")
        let text = try String(contentsOf: path, encoding: .utf8).filter { !$0.isWhitespace }
        let shard = try #require(Hex.decode(text))
        let header = try ShardHeader(decoding: ByteBuffer(bytes: shard.prefix(72)))
        #expect(header.name == BuiltBlob.name.shard(5))
        #expect(header.deployment == (try BuiltBlob.deployment()))
        let checksum = ShardChecksum(deployment: header.deployment, blob: header.name, shard: 5)
        let trailer = try ShardFooter.Trailer(decoding: ByteBuffer(bytes: shard.suffix(24)), checksum)
        let footer = try ShardFooter(
            decoding: ByteBuffer(bytes: shard.suffix(trailer.footerSize)), checksum, geometry: header.geometry)
        #expect(footer.length == 300)
        #expect(footer.recovery == Array("what the blob holds".utf8))
        let again = try BuiltBlob(
            (0..<300).map { UInt8(truncatingIfNeeded: $0 * 7) },
            geometry: Geometry(dataShards: 4, parityShards: 2, cellSize: 64),
            recovery: Array("what the blob holds".utf8))
        #expect(again.shards[5] == shard)
    }
}
