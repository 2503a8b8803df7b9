/// The checksum of two byte strings joined, from their own checksums and the second one's length.
///
/// A CRC is a remainder modulo a polynomial, so appending n bytes multiplies the first by x to the power 8n. The
/// inversions at both ends cancel out in S3's three. With it a multipart object's full-object checksum follows from
/// its parts' checksums.
package enum ChecksumCombiner {
    /// The checksum of the joined strings.
    ///
    /// - Parameters:
    ///   - first: the checksum of the first string, big-endian, as `Digest` gives it.
    ///   - second: the checksum of the second string.
    ///   - secondLength: the length of the second string in bytes, not negative.
    /// - Returns: nil where the algorithm is not a CRC, or a value has not the algorithm's length, or the length is
    ///   negative.
    package static func combine(
        _ algorithm: ChecksumAlgorithm, _ first: [UInt8], _ second: [UInt8], secondLength: Int64
    ) -> [UInt8]? {
        guard first.count == algorithm.digestLength, second.count == first.count, secondLength >= 0 else { return nil }
        switch algorithm {
        case .crc32:
            return combine(number(first), number(second), secondLength, modulo: 0xedb8_8320 as UInt32).bigEndianBytes
        case .crc32c:
            return combine(number(first), number(second), secondLength, modulo: 0x82f6_3b78 as UInt32).bigEndianBytes
        case .crc64nvme:
            let polynomial: UInt64 = 0x9a6c_9329_ac4b_c9b5
            return combine(number(first), number(second), secondLength, modulo: polynomial).bigEndianBytes
        case .sha1, .sha256, .sha512, .md5, .xxhash64, .xxhash3, .xxhash128:
            return nil
        }
    }

    private static func number<Number: FixedWidthInteger>(_ bytes: [UInt8]) -> Number {
        bytes.reduce(0) { $0 << 8 | Number($1) }
    }

    private static func combine<Number: FixedWidthInteger & UnsignedInteger>(
        _ first: Number, _ second: Number, _ length: Int64, modulo polynomial: Number
    ) -> Number {
        // Reflected: the highest bit is x^0, so x^8 is the highest bit moved down by eight.
        let one = (1 as Number) << (Number.bitWidth - 1)
        var power = one
        var square = one >> 8
        var rest = length
        while rest > 0 {
            if rest & 1 == 1 { power = multiply(power, square, modulo: polynomial) }
            square = multiply(square, square, modulo: polynomial)
            rest >>= 1
        }
        return multiply(first, power, modulo: polynomial) ^ second
    }

    /// The product of two polynomials in reflected bits, modulo a third whose highest term is left out.
    private static func multiply<Number: FixedWidthInteger & UnsignedInteger>(
        _ left: Number, _ right: Number, modulo polynomial: Number
    ) -> Number {
        var product: Number = 0
        var shifted = right
        var bit = (1 as Number) << (Number.bitWidth - 1)
        while bit != 0 {
            if left & bit != 0 { product ^= shifted }
            shifted = shifted & 1 == 1 ? shifted >> 1 ^ polynomial : shifted >> 1
            bit >>= 1
        }
        return product
    }
}
