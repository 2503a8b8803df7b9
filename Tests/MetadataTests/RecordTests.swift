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
