import Cryptography
import Testing

@Suite("Combining checksums")
struct ChecksumCombinerTests {
    @Test(
        "The combined checksum is that of the joined bytes", arguments: [ChecksumAlgorithm.crc32, .crc32c, .crc64nvme])
    func combined(_ algorithm: ChecksumAlgorithm) {
        let bytes = KnownDigest.pattern(70_000)
        for (start, end) in [(0, 0), (0, 1), (1, 1), (1, 2), (5, 1029), (1024, 2048), (33_333, 70_000), (0, 70_000)] {
            let first = Array(bytes[..<start])
            let second = Array(bytes[start..<end])
            let combined = ChecksumCombiner.combine(
                algorithm, Digest.hash(algorithm, first), Digest.hash(algorithm, second),
                secondLength: Int64(second.count))
            #expect(combined == Digest.hash(algorithm, Array(bytes[..<end])), "cut at \(start) of \(end)")
        }
    }

    @Test("Parts combine one after the other", arguments: [ChecksumAlgorithm.crc32, .crc32c, .crc64nvme])
    func manyParts(_ algorithm: ChecksumAlgorithm) throws {
        let bytes = KnownDigest.pattern(10_000)
        var generator = SplitMix(state: 7)
        for _ in 0..<50 {
            var whole = Digest.hash(algorithm, [UInt8]())
            var start = 0
            while start < bytes.count {
                let end = min(bytes.count, start + Int(generator.next() % 3000))
                let part = Array(bytes[start..<end])
                whole = try #require(
                    ChecksumCombiner.combine(
                        algorithm, whole, Digest.hash(algorithm, part), secondLength: Int64(part.count)))
                start = end
            }
            #expect(whole == Digest.hash(algorithm, bytes))
        }
    }

    @Test(
        "Lengths beyond 32 bits are right: zeros joined in either order are the same zeros",
        arguments: [ChecksumAlgorithm.crc32, .crc32c, .crc64nvme])
    func longLengths(_ algorithm: ChecksumAlgorithm) throws {
        // Doubling runs of zeros by combination, and then cutting the same run elsewhere.
        var runs = [Digest.hash(algorithm, [0])]
        for power in 0..<45 {
            runs.append(
                try #require(ChecksumCombiner.combine(algorithm, runs[power], runs[power], secondLength: 1 << power)))
        }
        #expect(runs[16] == Digest.hash(algorithm, [UInt8](repeating: 0, count: 65_536)))
        let shortThenLong = ChecksumCombiner.combine(algorithm, runs[10], runs[44], secondLength: 1 << 44)
        let longThenShort = ChecksumCombiner.combine(algorithm, runs[44], runs[10], secondLength: 1 << 10)
        #expect(shortThenLong == longThenShort)
        #expect(shortThenLong != runs[44])
    }

    @Test("What cannot be combined gives nil", arguments: ChecksumAlgorithm.allCases)
    func refused(_ algorithm: ChecksumAlgorithm) {
        let value = Digest.hash(algorithm, [1])
        let combined = ChecksumCombiner.combine(algorithm, value, value, secondLength: 1)
        #expect((combined != nil) == algorithm.supportsFullObjectMultipart)
        #expect(ChecksumCombiner.combine(algorithm, value, value, secondLength: -1) == nil)
        #expect(ChecksumCombiner.combine(algorithm, value + [0], value, secondLength: 1) == nil)
        #expect(ChecksumCombiner.combine(algorithm, value, [], secondLength: 1) == nil)
    }
}

/// A small generator with a fixed seed, so that a failure repeats.
private struct SplitMix {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
