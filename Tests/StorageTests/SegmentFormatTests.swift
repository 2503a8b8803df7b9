import DirectoryStore
import Foundation
import Primitives
import Storage
import Testing
import TidegateTesting

/// The format of a segment, written here by hand as its page describes it.
@Suite("The format of segments")
struct SegmentFormatTests {
    private struct Slot {
        var batch: UInt64
        var name: BlobName
        var payload: [UInt8]
        var isDead = false
        var isTorn = false
    }

    /// CRC-32C, a bit at a time.
    private static func crc32c(_ bytes: some Sequence<UInt8>) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { crc, byte in
            (0..<8).reduce(crc ^ UInt32(byte)) { crc, _ in crc >> 1 ^ (crc & 1 == 1 ? 0x82f6_3b78 : 0) }
        }
    }

    private static func bigEndian<Number: FixedWidthInteger>(_ number: Number) -> [UInt8] {
        stride(from: Number.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: number >> $0) }
    }

    /// Magic and checksum before what the checksum is of.
    private static func framed(_ magic: String, _ body: [UInt8]) -> [UInt8] {
        Array(magic.utf8) + bigEndian(crc32c(body)) + body
    }

    private static func segment(number: UInt64, version: UInt32 = 1, slots: Int, _ blobs: [Slot]) -> [UInt8] {
        let header = bigEndian(version) + bigEndian(UInt32(slots)) + bigEndian(number)
        var file = framed("TGSH", header + [UInt8](repeating: 0, count: 56 - header.count))
        var payloads: [UInt8] = []
        for blob in blobs {
            let name = blob.name
            let shard = name.shard.map { 1 << 16 | UInt64($0.index) << 8 | UInt64($0.attempt) } ?? 0
            var body = bigEndian(number) + bigEndian(blob.batch)
            body += bigEndian(UInt64(name.kind.rawValue) << 32 | UInt64(name.epoch)) + bigEndian(name.counter)
            body += bigEndian(UInt64(name.random) << 17 | shard)
            body += bigEndian(UInt32(slots * 64 + payloads.count)) + bigEndian(UInt32(blob.payload.count))
            body += bigEndian(crc32c(blob.payload))
            file += framed("TGSG", body) + (blob.isDead ? Array("dead".utf8) : [0, 0, 0, 0])
            payloads += blob.isTorn ? [UInt8](repeating: 0, count: blob.payload.count) : blob.payload
            payloads += [UInt8](repeating: 0, count: (512 - payloads.count % 512) % 512)
        }
        return file + [UInt8](repeating: 0, count: slots * 64 - file.count) + payloads
    }

    private static func name(_ counter: UInt64, _ shard: BlobName.Shard? = nil) -> BlobName {
        BlobName(kind: .data, epoch: 0xfedc_ba98, counter: counter, random: 0x8765_4321, shard: shard)
    }

    /// Opens a store that has one segment of this content.
    private static func with(
        _ file: [UInt8], number: UInt64 = 1, _ use: @Sendable (DirectoryStore) async throws -> Void
    ) async throws {
        try await TemporaryDirectory.with { path in
            await (try SegmentHarness.open(path, creating: true)).close()
            let name = Hex.encode(bigEndian(number))
            try Data(file).write(to: URL(fileURLWithPath: "\(path)/segments/\(name).segment"))
            let store = try await SegmentHarness.open(path)
            try await use(store)
            await store.close()
        }
    }

    @Test func aCRCIsTheOneThatIsMeant() {
        #expect(Self.crc32c("123456789".utf8) == 0xe306_9283)
    }

    @Test func aSegmentIsReadAsThePageSays() async throws {
        let shard = BlobName.Shard(index: 5, attempt: 200)
        let file = Self.segment(
            number: 0xab, slots: 32,
            [
                Slot(batch: 1, name: Self.name(7), payload: Array("one".utf8)),
                Slot(batch: 1, name: Self.name(3, shard), payload: [UInt8](repeating: 9, count: 5000)),
                Slot(batch: 2, name: Self.name(8), payload: [1], isDead: true),
                Slot(batch: 2, name: Self.name(9), payload: []),
                Slot(batch: 4, name: Self.name(10), payload: [1, 2, 3], isTorn: true),
                Slot(batch: 4, name: Self.name(11), payload: [4, 5, 6]),
            ])
        try await Self.with(file, number: 0xab) { store async throws in
            #expect(
                try await store.blobs(after: nil, limit: 10) == [
                    BlobSummary(name: Self.name(3, shard), length: 5000),
                    BlobSummary(name: Self.name(7), length: 3), BlobSummary(name: Self.name(9), length: 0),
                    BlobSummary(name: Self.name(11), length: 3),
                ])
            #expect(try await store.bytes(of: Self.name(7), range: 0..<3) == Array("one".utf8))
            #expect(try await store.bytes(of: Self.name(3, shard), range: 4999..<5000) == [9])
            #expect(try await store.bytes(of: Self.name(11), range: 0..<3) == [4, 5, 6])
        }
    }

    @Test func ofABlobThatStandsTwiceTheLaterCounts() async throws {
        let blobs = [
            Slot(batch: 1, name: Self.name(1), payload: [1, 1, 1], isTorn: true),
            Slot(batch: 2, name: Self.name(2), payload: [2]), Slot(batch: 3, name: Self.name(1), payload: [1, 1, 1]),
        ]
        try await Self.with(Self.segment(number: 1, slots: 16, blobs)) { store async throws in
            #expect(try await store.blobs(after: nil, limit: 10).map(\.name) == [Self.name(1), Self.name(2)])
            #expect(try await store.bytes(of: Self.name(1), range: 0..<3) == [1, 1, 1])
            try await store.delete(Self.name(1))
            try await store.reopen(recreating: false)
            #expect(try await store.blobs(after: nil, limit: 10).map(\.name) == [Self.name(2)])
        }
    }

    @Test func whatIsNotOfTheSegmentIsNotRead() async throws {
        let blob = Slot(batch: 1, name: Self.name(1), payload: [1])
        // A file under another's name, and slots that a file system gave back from another file.
        try await Self.with(Self.segment(number: 2, slots: 16, [blob])) { store async throws in
            #expect(try await store.blobs(after: nil, limit: 10).isEmpty)
        }
        var mixed = Self.segment(number: 1, slots: 16, [blob])
        mixed.replaceSubrange(64..<128, with: Self.segment(number: 2, slots: 16, [blob])[64..<128])
        try await Self.with(mixed) { store async throws in
            #expect(try await store.blobs(after: nil, limit: 10).isEmpty)
        }
    }

    @Test func aNewerFormatIsRefusedAndLeftAlone() async throws {
        let file = Self.segment(
            number: 1, version: 2, slots: 16, [Slot(batch: 1, name: Self.name(1), payload: [1])])
        try await TemporaryDirectory.with { path in
            await (try SegmentHarness.open(path, creating: true)).close()
            let segment = path + "/segments/0000000000000001.segment"
            try Data(file).write(to: URL(fileURLWithPath: segment))
            await #expect(throws: StorageError.self) { _ = try await SegmentHarness.open(path) }
            #expect(try SegmentHarness.contents(segment) == file)
        }
    }

    /// What a client stores lies in the payloads, and may look like slots.
    @Test func noBytesOfABlobAreTakenForSlots() async throws {
        let planted = Self.segment(number: 1, slots: 16, [Slot(batch: 9, name: Self.name(99), payload: [6])])
        var file = Self.segment(
            number: 1, slots: 16,
            [
                Slot(batch: 1, name: Self.name(1), payload: Array(planted[64..<1024])),
                Slot(batch: 2, name: Self.name(2), payload: [2]),
            ])
        for damaged in [[], [3], [3, 70]] {
            for byte in damaged { file[byte] ^= 1 }
            try await Self.with(file) { store async throws in
                let names = try await store.blobs(after: nil, limit: 10).map(\.name)
                #expect(!names.contains(Self.name(99)))
            }
            for byte in damaged { file[byte] ^= 1 }
        }
    }
}
