import IndexBackup
import Metadata
import NIOCore
import Primitives
import Storage
import Testing
import TidegateTesting

@Suite struct MembersCopyTests {
    private let store = MemoryStore()
    private let index = MemoryIndex()
    private let ids = TransactionIDs(epoch: 1)

    private func name(_ counter: UInt64, epoch: UInt32 = 1) -> BlobName {
        BlobName(kind: .control, epoch: epoch, counter: counter, random: 9)
    }

    private func put(_ key: Key, _ value: [UInt8]) async throws {
        _ = try await index.commit(Transaction(id: ids.next(), mutations: [.put(key, value)]))
    }

    private func write(_ bytes: [UInt8], _ name: BlobName) async throws {
        _ = try await store.write(name, Body(ByteBuffer(bytes: bytes)))
    }

    private func names() async throws -> [BlobName] {
        try await store.blobs(after: nil, limit: 100).map(\.name)
    }

    @Test func hasTheRowsOfStoresAndOfTheRecoveryKeyAlone() async throws {
        try await put(Keys.store(2), [2])
        try await put(Keys.store(0), [1])
        try await put(Keys.recoveryKey, [3])
        try await put(Keys.deployment, [4])
        try await put(Keys.keptAccess, [5])
        try await put(Keys.bucket("somebodys"), [6])
        let copy = try await MembersCopy.read(index)
        #expect(copy.entries.map(\.key) == [Keys.store(0), Keys.store(2), Keys.deployment, Keys.recoveryKey])
        #expect(copy.value(of: Keys.recoveryKey) == [3])
        #expect(copy.value(of: Keys.keptAccess) == nil)
        #expect(copy.version == 4)
    }

    @Test func isReadBackFromAStore() async throws {
        #expect(try await MembersCopy.newest(in: store) == nil)
        try await put(Keys.store(0), [UInt8](repeating: 1, count: 100_000))
        let copy = try await MembersCopy.read(index)
        try await copy.write(to: store, as: name(1))
        let newest = try await MembersCopy.newest(in: store)
        #expect(newest?.copy == copy)
        #expect(newest?.name == name(1))
    }

    @Test func theNewestTakesThePlaceOfTheOthers() async throws {
        let data = BlobName(epoch: 9, counter: 9, random: 9)
        try await write([1], data)
        try await write([2], BlobName(kind: .snapshot, epoch: .max, counter: .max, random: .max))
        for counter in 1...3 {
            try await put(Keys.store(0), [UInt8(counter)])
            try await MembersCopy.read(index).write(to: store, as: name(UInt64(counter)))
        }
        try await put(Keys.store(0), [4])
        try await MembersCopy.read(index).write(to: store, as: name(1, epoch: 2))
        #expect(try await MembersCopy.newest(in: store)?.copy.value(of: Keys.store(0)) == [4])
        #expect(try await names().filter { $0.kind == .control } == [name(1, epoch: 2)])
        #expect(try await names().count == 3)
    }

    @Test func whatIsDamagedIsPassedOver() async throws {
        try await put(Keys.store(0), [1])
        let copy = try await MembersCopy.read(index)
        try await copy.write(to: store, as: name(1))
        let whole = try await store.bytes(of: name(1), range: 0..<store.blobs(after: nil, limit: 1)[0].length)
        for (number, place) in [0, 6, 20, 70, whole.count - 1].enumerated() {
            var changed = whole
            changed[place] ^= 1
            try await write(changed, name(UInt64(number + 2)))
        }
        try await write([], name(20))
        try await write(Array(whole.dropLast()), name(21))
        try await write([UInt8](repeating: 0, count: 9 << 20), name(22))
        let snapshot = BackupFrame(
            kind: .snapshot, isFinal: true, base: 9, last: 9, count: 0, previous: [UInt8](repeating: 0, count: 32),
            payload: [])
        try await write(snapshot.encode(), name(23))
        #expect(try await MembersCopy.newest(in: store)?.name == name(1))
        #expect(try await MembersCopy.newest(in: store)?.copy == copy)
    }
}
