import Metadata
import Primitives
import Testing

@Suite("Records of the index")
struct RecordTests {
    private func version(_ write: (inout RecordWriter) -> Void) throws -> VersionRecord {
        var writer = RecordWriter()
        write(&writer)
        return try VersionRecord(encoded: writer.bytes)
    }

    @Test("are the same once they are written again, also where a field holds what is left out")
    func zeros() throws {
        let record = try VersionRecord(encoded: [5 << 1, 9, 15 << 1, 0])
        #expect(record.size == 9 && record.recovered == nil)
        #expect(try VersionRecord(encoded: record.encoded) == record)
        let recovered = try version { $0.number(15, Int64(-1)) }
        #expect(recovered.recovered == Timestamp(nanoseconds: -1))
        #expect(try VersionRecord(encoded: recovered.encoded) == recovered)
    }

    @Test("of stores are the same once they are written again, as directories and as backends")
    func stores() throws {
        var record = StoreRecord(
            id: [UInt8](repeating: 7, count: 16), place: "/disk0", isMountPoint: true,
            attached: Timestamp(nanoseconds: 12), isAway: true)
        #expect(try StoreRecord(encoded: record.encoded) == record)
        record.backend = BackendRecord(
            name: "one", url: "https://s3.example.org", bucket: "shards", prefix: "a/", signingRegion: "eu-1",
            addressing: "virtual-host", profile: "minio", isBuffered: true, authorities: "PEM",
            pinnedKeys: [[1, 2], [3]],
            domain: FailureDomain(region: "r", zone: "z", provider: "p", hosts: ["h", "i"]), credentials: [9, 8, 7],
            probed: Timestamp(nanoseconds: -3),
            findings: [BackendRecord.Finding(ability: "reach", verdict: "good", detail: "It answers.")])
        for standing in [StoreRecord.Standing.active, .draining, .detached] {
            record.standing = standing
            #expect(try StoreRecord(encoded: record.encoded) == record)
        }
        record.backend?.name = ""
        #expect(throws: RecordError.malformed) { try StoreRecord(encoded: record.encoded) }
        #expect(throws: RecordError.malformed) {
            var writer = RecordWriter()
            writer.bytes(1, [UInt8](repeating: 7, count: 16))
            writer.number(7, UInt64(3))
            return try StoreRecord(encoded: writer.bytes)
        }
    }

    @Test("of what was seen of a store are the same once they are written again, and overflow into no trap")
    func histories() throws {
        var record = StoreHistoryRecord(since: Timestamp(nanoseconds: 5))
        #expect(try StoreHistoryRecord(encoded: record.encoded) == record)
        record.outages.add(.seconds(7))
        record.outages.add(.seconds(-3))
        record.repairs.add(.seconds(2), count: 3)
        #expect(record.outages.count == 2 && record.outages.seconds == 7 && record.outages.longestSeconds == 7)
        #expect(record.repairs.count == 3 && record.repairs.seconds == 6 && record.repairs.longestSeconds == 2)
        (record.watchedSeconds, record.losses, record.damagedShards, record.repairedBytes) = (1, 2, 3, 4)
        (record.awaySince, record.isRestoring) = (Timestamp(nanoseconds: -8), true)
        #expect(try StoreHistoryRecord(encoded: record.encoded) == record)
        record.repairs.seconds = .max
        record.repairs.add(.seconds(2), count: .max)
        #expect(record.repairs.seconds == .max && record.repairs.count == .max)
        #expect(throws: RecordError.malformed) { try StoreHistoryRecord(encoded: [0x07, 0xFF]) }
    }

    @Test("of lists of stores have a domain and a weight for each store, or for none")
    func placements() throws {
        for domains: [UInt16]? in [nil, [0, 0, 300]] {
            for weights: [UInt16]? in [nil, [1, 10_000, 300]] {
                let record = PlacementRecord(stores: [1, 500, 65_535], domains: domains, weights: weights)
                #expect(try PlacementRecord(encoded: record.encoded) == record)
            }
        }
        // As they were written before there were weights.
        let old: [UInt8] = [3, 4, 0, 1, 1, 244, 5, 4, 0, 0, 0, 7]
        #expect(try PlacementRecord(encoded: old) == PlacementRecord(stores: [1, 500], domains: [0, 7]))
        for wrong in [
            PlacementRecord(stores: [1, 2], domains: [0]), PlacementRecord(stores: [1, 2], weights: [100]),
            PlacementRecord(stores: [1, 2], weights: [0, 1]), PlacementRecord(stores: [1, 2], weights: [10_001, 1]),
        ] {
            #expect(throws: RecordError.malformed) { try PlacementRecord(encoded: wrong.encoded) }
        }
    }

    @Test("of stores have a weight of 100 and no capacity, unless others were given")
    func weights() throws {
        var record = StoreRecord(
            id: Array(1...16), place: "/d", isMountPoint: false, attached: Timestamp(nanoseconds: 5))
        let usual = record.encoded
        #expect(try StoreRecord(encoded: usual).weight == 100)
        for weight: UInt16 in [1, 99, 10_000] {
            record.weight = weight
            #expect(try StoreRecord(encoded: record.encoded) == record)
            #expect(record.encoded.starts(with: usual))
        }
        for capacity: Int64 in [1, 10 << 40, .max] {
            record.capacity = capacity
            #expect(try StoreRecord(encoded: record.encoded) == record)
        }
        for capacity: UInt64 in [1 << 63, .max] {
            var writer = RecordWriter()
            writer.number(9, capacity)
            #expect(throws: RecordError.malformed) { try StoreRecord(encoded: usual + writer.bytes) }
        }
        for weight: UInt64 in [10_001, 65_636, .max] {
            var writer = RecordWriter()
            writer.number(8, weight)
            #expect(throws: RecordError.malformed) { try StoreRecord(encoded: usual + writer.bytes) }
        }
    }

    @Test("whose numbers do not fit are damaged, and end no process that writes them again")
    func largeNumbers() throws {
        #expect(try version { $0.number(14, UInt64(7)) }.partCount == 7)
        #expect(throws: RecordError.malformed) { try version { $0.number(14, UInt64.max) } }
        #expect(throws: RecordError.malformed) { try version { $0.record(13) { $0.number(1, UInt64.max) } } }
        for field in 2...5 as ClosedRange<UInt64> {
            var writer = RecordWriter()
            writer.record(1) { $0.number(field, UInt64.max) }
            #expect(throws: RecordError.malformed) { try BlobRecord(encoded: writer.bytes) }
        }
        var writer = RecordWriter()
        writer.record(1) { $0.number(5, UInt64(UInt32.max) + 1) }
        #expect(throws: RecordError.malformed) { try BlobRecord(encoded: writer.bytes) }
    }
}
