import Cryptography
import Testing

/// A digest computed elsewhere: the CRCs by awscrt, the others by Python's hashlib and xxhash.
struct KnownDigest: Sendable, CustomTestStringConvertible {
    let algorithm: ChecksumAlgorithm
    let bytes: [UInt8]
    let digest: String

    init(_ algorithm: ChecksumAlgorithm, _ bytes: [UInt8], _ digest: String) {
        (self.algorithm, self.bytes, self.digest) = (algorithm, bytes, digest)
    }

    var testDescription: String { "\(algorithm.rawValue) of \(bytes.count) bytes" }

    /// Bytes that look random: the top bytes of Knuth's 64-bit linear congruential generator from 1 on.
    static func pattern(_ count: Int) -> [UInt8] {
        var state: UInt64 = 1
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return UInt8(truncatingIfNeeded: state >> 56)
        }
    }

    static let all: [KnownDigest] = [
        KnownDigest(.crc32, [], "00000000"),
        KnownDigest(.crc32c, [], "00000000"),
        KnownDigest(.crc64nvme, [], "0000000000000000"),
        KnownDigest(.sha1, [], "da39a3ee5e6b4b0d3255bfef95601890afd80709"),
        KnownDigest(.sha256, [], "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
        KnownDigest(
            .sha512, [],
            "cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce"
                + "47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e"),
        KnownDigest(.md5, [], "d41d8cd98f00b204e9800998ecf8427e"),
        KnownDigest(.xxhash64, [], "ef46db3751d8e999"),
        KnownDigest(.xxhash3, [], "2d06800538d394c2"),
        KnownDigest(.xxhash128, [], "99aa06d3014798d86001c324468d497f"),
        KnownDigest(.crc32, Array("123456789".utf8), "cbf43926"),
        KnownDigest(.crc32c, Array("123456789".utf8), "e3069283"),
        KnownDigest(.crc64nvme, Array("123456789".utf8), "ae8b14860a799888"),
        KnownDigest(.sha1, Array("123456789".utf8), "f7c3bc1d808e04732adf679965ccc34ca7ae3441"),
        KnownDigest(
            .sha256, Array("123456789".utf8), "15e2b0d3c33891ebb0f1ef609ec419420c20e320ce94c65fbc8c3312448eb225"),
        KnownDigest(
            .sha512, Array("123456789".utf8),
            "d9e6762dd1c8eaf6d61b3c6192fc408d4d6d5f1176d0c29169bc24e71c3f274a"
                + "d27fcd5811b313d681f7e55ec02d73d499c95455b6b5bb503acf574fba8ffe85"),
        KnownDigest(.md5, Array("123456789".utf8), "25f9e794323b453885f5181f1b624d0b"),
        KnownDigest(.xxhash64, Array("123456789".utf8), "8cb841db40e6ae83"),
        KnownDigest(.xxhash3, Array("123456789".utf8), "72dcb18b67a17dff"),
        KnownDigest(.xxhash128, Array("123456789".utf8), "33119477ede5dcd5e9716427681d5860"),
        KnownDigest(.crc32, pattern(1000), "e8be3e1e"),
        KnownDigest(.crc32c, pattern(1000), "26316a73"),
        KnownDigest(.crc64nvme, pattern(1000), "83db7c7c59fc75e9"),
        KnownDigest(.sha1, pattern(1000), "c58b3cb83e91599046459a33872e56cdbb669ef0"),
        KnownDigest(.sha256, pattern(1000), "b8d77f2d825b2355d85a24ab8113730a7c8dcdda8c829270e1b648b617a3b88a"),
        KnownDigest(
            .sha512, pattern(1000),
            "a6b357f2dfaaf6c87b1af5f78eb0930c1780ae283c0a81c9e6cebe3f7d8819b9"
                + "1fa7880db83ef2aec3458ff593d4a56f8a0eee5585b68c5edc9becf945d5e837"),
        KnownDigest(.md5, pattern(1000), "2962109b8f959a1906eb272d29aa9a7b"),
        KnownDigest(.xxhash64, pattern(1000), "08b112153cdba2bb"),
        KnownDigest(.xxhash3, pattern(1000), "00187ef5ad20cb35"),
        KnownDigest(.xxhash128, pattern(1000), "897d583a729f19d300187ef5ad20cb35"),
        KnownDigest(.crc32, pattern(100_000), "cf572a56"),
        KnownDigest(.crc32c, pattern(100_000), "c9f31ebc"),
        KnownDigest(.crc64nvme, pattern(100_000), "ab0fb064798c879e"),
        KnownDigest(.sha1, pattern(100_000), "294adffaad3e89fd1023070bf0c03770b94b645b"),
        KnownDigest(.sha256, pattern(100_000), "a2de2a84c824aae35e851049cec2301e696e0cf3e04a0c7f53d00cfcac598026"),
        KnownDigest(
            .sha512, pattern(100_000),
            "6a5931e01bb7c50ba49cd401f344ee496133cd0e306d02f0b0c32b877219d045"
                + "70d9ecf553d438d57f35b7f9ca46ac5fea68d9327348950bc8a6fef29f2f86e2"),
        KnownDigest(.md5, pattern(100_000), "8fdc626bc6635730796b7330137cc567"),
        KnownDigest(.xxhash64, pattern(100_000), "4bb746e0b9f57d29"),
        KnownDigest(.xxhash3, pattern(100_000), "17728b9ba27f68a8"),
        KnownDigest(.xxhash128, pattern(100_000), "07108d9b3738154b17728b9ba27f68a8"),
    ]
}
