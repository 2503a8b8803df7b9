import Cryptography
import NIOCore
import Testing

/// MD5 of several messages side by side, against OpenSSL's of one.
@Suite struct MD5LanesTests {
    /// Numbers of no quality, the same each time.
    private struct Numbers: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return state ^ state >> 29
        }
    }

    private static func launch(_ work: @escaping @Sendable () async -> Void) {
        Task { await work() }
    }

    /// Feeds a message in pieces of many lengths, and compares its digest after each with OpenSSL's.
    private static func run(_ lanes: MD5Lanes, seed: UInt64) async {
        var numbers = Numbers(state: seed)
        let (message, reference) = (LaneMD5(), Digest(.md5))
        for _ in 0..<40 {
            // About blocks of 64 bytes, and beyond them.
            let most = [3, 70, 200, 5000][Int.random(in: 0..<4, using: &numbers)]
            let count = Int.random(in: 1...most, using: &numbers)
            let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &numbers) }
            await lanes.update(message, ByteBuffer(bytes: bytes), launch: launch)
            reference.update(bytes)
            #expect(message.value() == reference.finalize())
        }
    }

    @Test(arguments: [1, 2, 7, 8, 9, 15, 16, 17, 40])
    func messagesTakenTogetherHaveTheirOwnDigests(_ count: Int) async {
        // With one worker, whatever comes while it computes is taken together.
        for workers in [1, 3] {
            let lanes = MD5Lanes(workers: workers)
            await withTaskGroup(of: Void.self) { group in
                for number in 0..<count { group.addTask { await Self.run(lanes, seed: UInt64(number)) } }
            }
        }
    }

    @Test func thePlainWayGivesTheSameDigests() async {
        LaneMD5.bePlain(true)
        #expect(!LaneMD5.isAccelerated)
        let lanes = MD5Lanes(workers: 1)
        await withTaskGroup(of: Void.self) { group in
            for number in 0..<18 { group.addTask { await Self.run(lanes, seed: UInt64(number)) } }
        }
        LaneMD5.bePlain(false)
    }

    @Test func noBytesHaveADigest() {
        #expect(LaneMD5().value() == Digest.hash(.md5, []))
    }

    @Test func everyLengthAboutABlockIsPadded() async {
        let lanes = MD5Lanes(workers: 1)
        for count in 1...200 {
            let bytes = [UInt8](repeating: UInt8(truncatingIfNeeded: count), count: count)
            let message = LaneMD5()
            await lanes.update(message, ByteBuffer(bytes: bytes), launch: Self.launch)
            #expect(message.value() == Digest.hash(.md5, bytes))
        }
    }
}
