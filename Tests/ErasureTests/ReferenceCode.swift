/// Reed–Solomon over GF(2^8) as slowly and plainly as possible: the oracle that the real code is checked against.
struct ReferenceCode {
    let dataShards: Int
    let parityShards: Int

    /// Multiplies by shifting and reducing with x^8 + x^4 + x^3 + x^2 + 1.
    static func product(_ left: UInt8, _ right: UInt8) -> UInt8 {
        var (sum, shifted, rest) = (UInt16(0), UInt16(left), right)
        while rest > 0 {
            if rest & 1 == 1 { sum ^= shifted }
            shifted <<= 1
            if shifted & 0x100 != 0 { shifted ^= 0x11d }
            rest >>= 1
        }
        return UInt8(sum)
    }

    /// The number that gives 1 when multiplied, by trying them all.
    static func inverse(_ number: UInt8) -> UInt8 {
        (1...255).first { product(number, $0) == 1 } ?? 0
    }

    /// The coefficient of a data shard in a parity shard: 1 / (row ⊕ column), or 1 where there is one data shard.
    func coefficient(parity: Int, data: Int) -> UInt8 {
        dataShards == 1 ? 1 : Self.inverse(UInt8(dataShards + parity) ^ UInt8(data))
    }

    /// The parity cells of the given data cells.
    func parity(of cells: [[UInt8]]) -> [[UInt8]] {
        (0..<parityShards).map { parity in
            var sum = [UInt8](repeating: 0, count: cells[0].count)
            for (data, cell) in cells.enumerated() {
                let factor = coefficient(parity: parity, data: data)
                let multiples = (0...255).map { Self.product(factor, $0) }
                for offset in sum.indices { sum[offset] ^= multiples[Int(cell[offset])] }
            }
            return sum
        }
    }

    /// CRC-64/XZ bit by bit.
    static func crc64(_ bytes: [UInt8]) -> UInt64 {
        var crc = UInt64.max
        for byte in bytes {
            crc ^= UInt64(byte)
            for _ in 0..<8 { crc = crc & 1 == 1 ? crc >> 1 ^ 0xc96c_5795_d787_0f42 : crc >> 1 }
        }
        return ~crc
    }
}

/// A reproducible generator of bytes (xorshift64*).
struct TestGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed &* 0x9e37_79b9_7f4a_7c15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state >> 12
        state ^= state << 25
        state ^= state >> 27
        return state &* 0x2545_f491_4f6c_dd1d
    }

    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8(truncatingIfNeeded: next() >> 32) } }
}
