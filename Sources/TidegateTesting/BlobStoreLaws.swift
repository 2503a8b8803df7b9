import NIOCore
package import Primitives
package import Storage

/// The laws of `BlobStore`. A test runs each against each kind of store:
/// `@Test(arguments: Candidate.all, BlobStoreLaws.all)`.
package enum BlobStoreLaws {
    /// Every law.
    package static let all: [BlobStoreLaw] = contents + names + failures

    /// Lengths around the bounds at which stores change how they keep or cut a blob.
    static let lengths = [0, 1, 4095, 4096, 65_535, 65_536, 65_537, 1 << 20, (1 << 20) + 1, 3_000_001]

    private static let contents = [
        BlobStoreLaw("what was written is read back bit for bit") { store, generator in
            for length in lengths {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                let body = Body(
                    length: length.isMultiple(of: 2) ? Int64(length) : nil,
                    source: BufferedSource(generator.buffers(of: bytes, most: 300_000)))
                let receipt = try await store.write(name, body)
                try LawViolation.unless(receipt.length == Int64(length), "The receipt says \(receipt.length) bytes.")
                try await store.expect(bytes, at: name)
            }
        },
        BlobStoreLaw("any range is read, and only within the blob") { store, generator in
            for length in [0, 10, 70_000, 1_500_000] {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                _ = try await store.write(name, Body(bytes))
                for _ in 0..<20 {
                    let ends = [
                        Int.random(in: 0...length, using: &generator), .random(in: 0...length, using: &generator),
                    ]
                    let range = ends.min().map { $0..<(ends.max() ?? $0) } ?? 0..<0
                    let read = try await store.bytes(of: name, range: Int64(range.lowerBound)..<Int64(range.upperBound))
                    try LawViolation.unless(read.elementsEqual(bytes[range]), "The range \(range) was read wrongly.")
                }
                for outside in [-1..<0, 0..<Int64(length) + 1, Int64(length) + 1..<Int64(length) + 1] {
                    try await store.expectFailure("a read of \(outside)", of: name, range: outside) {
                        if case .invalidRange = $0 { true } else { false }
                    }
                }
            }
        },
        BlobStoreLaw("many concurrent writers and readers do not disturb one another") { store, generator in
            let seeds = (0..<48).map { _ in generator.next() }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for seed in seeds {
                    group.addTask {
                        var generator = SeededGenerator(seed: seed)
                        let name = generator.blobName()
                        let bytes = generator.bytes(.random(in: 0...200_000, using: &generator))
                        _ = try await store.write(name, Body(buffers: generator.buffers(of: bytes, most: 50_000)))
                        try await store.expect(bytes, at: name)
                        guard seed.isMultiple(of: 2) else { return }
                        try await store.delete(name)
                        try await store.expectAbsent(name)
                    }
                }
                try await group.waitForAll()
            }
            let left = try await store.blobs(after: nil, limit: 1000).count
            let expected = seeds.count { !$0.isMultiple(of: 2) }
            try LawViolation.unless(left == expected, "\(left) blobs are listed instead of \(expected).")
        },
    ]

    private static let names = [
        BlobStoreLaw("writing the same bytes again succeeds") { store, generator in
            for length in [100, 500_000] {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                for _ in 0..<3 { _ = try await store.write(name, Body(bytes)) }
                try await store.expect(bytes, at: name)
            }
            let count = try await store.blobs(after: nil, limit: 10).count
            try LawViolation.unless(count == 2, "2 blobs are listed as \(count).")
        },
        BlobStoreLaw("a deleted blob is gone, and deleting what is not there succeeds") { store, generator in
            for length in [0, 100, 500_000] {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                try await store.delete(name)
                try await store.expectAbsent(name)
                _ = try await store.write(name, Body(bytes))
                try await store.delete(name)
                try await store.expectAbsent(name)
                try await store.delete(name)
                _ = try await store.write(name, Body(bytes))
                try await store.expect(bytes, at: name)
            }
        },
        BlobStoreLaw("blobs are listed in the order of their names, page by page") { store, generator in
            var expected: [BlobSummary] = []
            for index in 0..<60 {
                let kind = BlobName.Kind.allCases[index % BlobName.Kind.allCases.count]
                let blob = BlobName(
                    kind: kind, epoch: UInt32(index % 3) &* 0x7fff_ffff, counter: generator.next(), random: 7)
                let name = index.isMultiple(of: 5) ? blob : blob.shard(UInt8(index), attempt: UInt8(index % 2))
                let length = [0, 50, 80_000][index % 3]
                _ = try await store.write(name, Body(generator.bytes(length)))
                expected.append(BlobSummary(name: name, length: Int64(length)))
            }
            expected.sort { $0.name < $1.name }
            for limit in [1, 7, 60, 1000] {
                var listed: [BlobSummary] = []
                while true {
                    let page = try await store.blobs(after: listed.last?.name, limit: limit)
                    try LawViolation.unless(page.count <= limit, "A page of \(limit) has \(page.count) blobs.")
                    if page.isEmpty { break }
                    listed += page
                }
                try LawViolation.unless(listed == expected, "In pages of \(limit), blobs are missing or out of order.")
            }
            let none = try await store.blobs(after: nil, limit: 0)
            try LawViolation.unless(none.isEmpty, "A page of none has \(none.count) blobs.")
        },
    ]

    private static let failures = [
        BlobStoreLaw("a write whose body fails leaves nothing behind") { store, generator in
            for length in [0, 100, 500_000] {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                let expected = BodyError(.checksumMismatch, "The checksum is wrong.")
                let source = FailingSource(after: generator.buffers(of: bytes, most: 100_000), expected)
                do throws(StorageError) {
                    _ = try await store.write(name, Body(length: Int64(length), source: source))
                } catch {
                    guard case .source(let cause) = error, cause == expected else { throw error }
                    try await store.expectAbsent(name)
                    continue
                }
                throw LawViolation("A write whose body failed succeeded.")
            }
        },
        BlobStoreLaw("a write whose body fails harms nothing that comes later") { store, generator in
            for length in [0, 100, 500_000] {
                let (name, bytes) = (generator.blobName(), generator.bytes(length))
                let source = FailingSource(after: [], BodyError(.disconnected, "The client went away."))
                do throws(StorageError) {
                    _ = try await store.write(name, Body(length: Int64(length), source: source))
                } catch {
                    guard case .source = error else { throw error }
                }
                try await store.expectAbsent(name)
                _ = try await store.write(name, Body(bytes))
                try await store.expect(bytes, at: name)
            }
        },
        BlobStoreLaw("a failing sink ends a read as the sink's fault, and harms nothing") { store, generator in
            let (name, bytes) = (generator.blobName(), generator.bytes(2_000_000))
            _ = try await store.write(name, Body(bytes))
            for room in [0, 1_500_000] {
                let error = BodyError(.disconnected, "The client went away.")
                var sink: any BodySink = FailingSink(after: room, error)
                do throws(StorageError) {
                    try await store.read(name, range: 0..<2_000_000, into: &sink)
                } catch {
                    guard case .sink(let cause) = error, cause.kind == .disconnected else { throw error }
                    continue
                }
                throw LawViolation("A read into a sink that failed succeeded.")
            }
            try await store.expect(bytes, at: name)
        },
        BlobStoreLaw("a cancelled write leaves all or nothing") { store, generator in
            for round in 0..<20 {
                let (name, bytes) = (generator.blobName(), generator.bytes(200_000))
                let buffers = generator.buffers(of: bytes, most: 20_000)
                let writer = Task { _ = try await store.write(name, Body(buffers: buffers)) }
                for _ in 0..<round { await Task.yield() }
                writer.cancel()
                switch await writer.result {
                case .success: try await store.expect(bytes, at: name)
                case .failure: try await store.expectAllOrNothing(bytes, at: name)
                }
            }
        },
    ]
}

extension BlobStore {
    /// The bytes of a range.
    package func bytes(of name: BlobName, range: Range<Int64>) async throws(StorageError) -> [UInt8] {
        var sink: any BodySink = BufferingSink()
        try await read(name, range: range, into: &sink)
        return (sink as? BufferingSink).map { Array($0.bytes.readableBytesView) } ?? []
    }

    fileprivate func expect(_ bytes: [UInt8], at name: BlobName) async throws {
        let read = try await self.bytes(of: name, range: 0..<Int64(bytes.count))
        try LawViolation.unless(read == bytes, "A blob of \(bytes.count) bytes was read back wrongly.")
    }

    fileprivate func expectFailure(
        _ what: String, of name: BlobName, range: Range<Int64>, _ isRight: (StorageError) -> Bool
    ) async throws {
        do throws(StorageError) {
            _ = try await bytes(of: name, range: range)
        } catch {
            try LawViolation.unless(isRight(error), "\(what) failed otherwise than it should: \(error).")
            return
        }
        throw LawViolation("\(what) succeeded.")
    }

    fileprivate func expectAbsent(_ name: BlobName) async throws {
        try await expectFailure("a read of a blob that is not there", of: name, range: 0..<0) {
            if case .notFound = $0 { true } else { false }
        }
        let listed = try await blobs(after: nil, limit: 10_000).contains { $0.name == name }
        try LawViolation.unless(!listed, "A blob that is not there is listed.")
    }

    fileprivate func expectAllOrNothing(_ bytes: [UInt8], at name: BlobName) async throws {
        let read: [UInt8]
        do throws(StorageError) {
            read = try await self.bytes(of: name, range: 0..<Int64(bytes.count))
        } catch {
            guard case .notFound = error else { throw error }
            return
        }
        try LawViolation.unless(read == bytes, "A cancelled write left other bytes.")
    }
}
