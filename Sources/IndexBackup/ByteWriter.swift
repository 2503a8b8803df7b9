/// Big-endian numbers and bytes, one after the other.
struct ByteWriter: Sendable {
    var bytes: [UInt8] = []

    mutating func append<Number: FixedWidthInteger>(_ number: Number) {
        for shift in stride(from: Number.bitWidth - 8, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: number >> shift))
        }
    }
}

/// Reads what `ByteWriter` wrote; every read gives nil where too few bytes are left.
struct ByteReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var isAtEnd: Bool { position == bytes.count }

    mutating func number<Number: FixedWidthInteger & UnsignedInteger>(_ type: Number.Type) -> Number? {
        let length = Number.bitWidth / 8
        guard bytes.count - position >= length else { return nil }
        var number: Number = 0
        for index in position..<(position + length) { number = (length > 1 ? number << 8 : 0) | Number(bytes[index]) }
        position += length
        return number
    }

    mutating func take(_ count: Int) -> [UInt8]? {
        guard count >= 0, bytes.count - position >= count else { return nil }
        defer { position += count }
        return Array(bytes[position..<(position + count)])
    }
}
