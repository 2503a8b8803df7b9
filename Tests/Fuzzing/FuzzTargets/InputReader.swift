import NIOCore

/// Takes choices from the front of an input, for targets that need more than bytes to parse. Where the input has ended
/// every choice is the first.
struct InputReader {
    private(set) var rest: ArraySlice<UInt8>

    init(_ bytes: [UInt8]) {
        rest = bytes[...]
    }

    mutating func byte() -> UInt8 { rest.popFirst() ?? 0 }

    /// A number of two bytes, big-endian.
    mutating func number() -> Int { Int(byte()) << 8 | Int(byte()) }

    /// A number from 0 to below `bound`.
    mutating func number(below bound: Int) -> Int { bound > 0 ? number() % bound : 0 }

    mutating func pick<Element>(_ elements: [Element]) -> Element { elements[Int(byte()) % elements.count] }

    /// So many bytes, or what is left of them.
    mutating func take(_ count: Int) -> [UInt8] {
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }

    /// The bytes up to a separator, which is taken too; all that is left where there is none.
    mutating func take(upTo separator: UInt8) -> [UInt8] {
        let bytes = Array(rest.prefix { $0 != separator })
        rest = rest.dropFirst(bytes.count + 1)
        return bytes
    }
}

/// The bytes in pieces of at most `size`.
func pieces(of bytes: [UInt8], size: Int) -> [ByteBuffer] {
    guard size < bytes.count else { return [ByteBuffer(bytes: bytes)] }
    return stride(from: 0, to: bytes.count, by: size).map {
        ByteBuffer(bytes: bytes[$0..<min($0 + size, bytes.count)])
    }
}

/// A change of some bytes, as an input chooses it.
enum ByteChange {
    /// The bytes, changed or as they are.
    static func apply(_ reader: inout InputReader, to bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        let kind = reader.byte() % 6
        let place = reader.number(below: max(bytes.count, 1))
        let value = reader.byte()
        guard !bytes.isEmpty else { return bytes }
        switch kind {
        case 1: bytes[place] ^= value
        case 2: bytes.remove(at: place)
        case 3: bytes.insert(value, at: place)
        case 4: bytes.removeSubrange(place...)
        case 5: bytes.insert(contentsOf: bytes[place...].prefix(Int(value)), at: place)
        default: break
        }
        return bytes
    }
}
