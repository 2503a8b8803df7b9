import Cryptography
import NIOCore
import Primitives
import Testing

@Suite("Digests and checksums")
struct DigestTests {
    @Test("A digest of one buffer is the known one", arguments: KnownDigest.all)
    func oneBuffer(_ known: KnownDigest) {
        #expect(Hex.encode(Digest.hash(known.algorithm, known.bytes)) == known.digest)
        #expect(Hex.encode(Digest.hash(known.algorithm, ByteBuffer(bytes: known.bytes))) == known.digest)
    }

    @Test("A digest of pieces is that of the whole, wherever it is cut", arguments: KnownDigest.all)
    func pieces(_ known: KnownDigest) {
        for step in [1, 3, 64, 127, 128, 4096, 65_537] where known.bytes.count / step < 40_000 {
            let digest = Digest(known.algorithm)
            for start in stride(from: 0, to: known.bytes.count, by: step) {
                let piece = Array(known.bytes[start..<min(start + step, known.bytes.count)])
                if start % 2 == 0 { digest.update(piece) } else { digest.update(ByteBuffer(bytes: piece)) }
            }
            #expect(Hex.encode(digest.finalize()) == known.digest, "pieces of \(step)")
        }
    }

    @Test("A digest may be asked for before its end and again", arguments: ChecksumAlgorithm.allCases)
    func askedForTwice(_ algorithm: ChecksumAlgorithm) {
        let digest = Digest(algorithm)
        #expect(digest.finalize() == Digest.hash(algorithm, [UInt8]()))
        digest.update([1, 2, 3])
        #expect(digest.finalize() == Digest.hash(algorithm, [1, 2, 3]))
        digest.update([4])
        #expect(digest.finalize() == Digest.hash(algorithm, [1, 2, 3, 4]))
        #expect(digest.finalize() == Digest.hash(algorithm, [1, 2, 3, 4]))
    }

    @Test("A buffer is digested from its reader index to its writer index")
    func readableBytesAlone() throws {
        var buffer = ByteBuffer(bytes: [9, 1, 2, 3, 9])
        buffer.moveReaderIndex(forwardBy: 1)
        buffer.moveWriterIndex(to: 4)
        #expect(Digest.hash(.sha256, buffer) == Digest.hash(.sha256, [1, 2, 3]))
        let digest = Digest(.crc32)
        digest.update(buffer)
        #expect(digest.finalize() == Digest.hash(.crc32, [1, 2, 3]))
    }

    @Test("Digests on many threads at once do not disturb one another", arguments: ChecksumAlgorithm.allCases)
    func concurrent(_ algorithm: ChecksumAlgorithm) async {
        let inputs = (0..<32).map { KnownDigest.pattern(1000 + $0 * 17) }
        let expected = inputs.map { Digest.hash(algorithm, $0) }
        let computed = await withTaskGroup(of: (Int, [UInt8]).self) { group in
            for (index, input) in inputs.enumerated() {
                group.addTask {
                    let digest = Digest(algorithm)
                    for byte in input {
                        digest.update([byte])
                        if byte == 0 { await Task.yield() }
                    }
                    return (index, digest.finalize())
                }
            }
            return await group.reduce(into: [Int: [UInt8]]()) { $0[$1.0] = $1.1 }
        }
        for index in inputs.indices { #expect(computed[index] == expected[index]) }
    }

    @Test("The library offers every algorithm")
    func availability() throws {
        try CryptographyAvailability.check()
    }
}

@Suite("CRC64NVME")
struct CRC64NVMETests {
    @Test("Folding and tables agree at every length and offset")
    func bothWays() {
        let bytes = KnownDigest.pattern(3000)
        for length in 0..<1200 {
            let start = length % 19
            let slice = bytes.span.extracting(start..<start + length)
            let before = UInt64(length) &* 0x9E37_79B9_7F4A_7C15
            #expect(
                CChecksumsKernels.crc64nvme(before, slice) == CChecksumsKernels.crc64nvmeByTables(before, slice),
                "length \(length)")
        }
    }

    @Test("Tables alone give the known values", arguments: KnownDigest.all.filter { $0.algorithm == .crc64nvme })
    func tables(_ known: KnownDigest) {
        let value = CChecksumsKernels.crc64nvmeByTables(0, known.bytes.span)
        #expect(Hex.encode(stride(from: 56, through: 0, by: -8).map { UInt8(value >> $0 & 255) }) == known.digest)
    }
}

@Suite("Checksum algorithms")
struct ChecksumAlgorithmTests {
    @Test("The header name leads back to the algorithm", arguments: ChecksumAlgorithm.allCases)
    func headerNames(_ algorithm: ChecksumAlgorithm) {
        #expect(algorithm.headerName == "x-amz-checksum-" + algorithm.rawValue.lowercased())
        #expect(ChecksumAlgorithm(headerName: algorithm.headerName) == algorithm)
        #expect(Digest.hash(algorithm, [1]).count == algorithm.digestLength)
    }

    @Test(
        "Other header names lead nowhere",
        arguments: [
            "", "x-amz-checksum-", "x-amz-checksum-type", "crc32", "x-amz-checksum-crc33", "X-Amz-Checksum-Crc32",
        ])
    func otherHeaderNames(_ name: String) {
        #expect(ChecksumAlgorithm(headerName: name) == nil)
    }

    @Test("Only CRCs are combined over parts, and CRC64NVME in no other way")
    func kinds() {
        #expect(ChecksumAlgorithm.allCases.filter(\.supportsFullObjectMultipart) == [.crc32, .crc32c, .crc64nvme])
        #expect(ChecksumAlgorithm.allCases.filter { !$0.supportsCompositeMultipart } == [.crc64nvme])
        #expect(ChecksumAlgorithm.xxhash128.elementName == "ChecksumXXHASH128")
    }
}
