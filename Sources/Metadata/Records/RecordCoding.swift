/// Writes a record of the index: numbered fields, so that a reader skips what it does not know.
///
/// A field is a varint of *number × 2 + kind*, then a varint (kind 0) or a varint of the length and so many bytes (kind
/// 1). Fields that hold their default are left out.
package struct RecordWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func number(_ field: UInt64, _ value: UInt64) {
        guard value != 0 else { return }
        varint(field << 1)
        varint(value)
    }

    package mutating func number(_ field: UInt64, _ value: Int64) {
        number(field, UInt64(bitPattern: value))
    }

    package mutating func bytes(_ field: UInt64, _ value: some Collection<UInt8>) {
        varint(field << 1 | 1)
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    package mutating func text(_ field: UInt64, _ value: String?) {
        if let value { bytes(field, value.utf8) }
    }

    /// A record within the record.
    package mutating func record(_ field: UInt64, _ write: (inout RecordWriter) -> Void) {
        var inner = RecordWriter()
        write(&inner)
        bytes(field, inner.bytes)
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(truncatingIfNeeded: rest))
    }
}

/// Reads what `RecordWriter` writes, field by field.
package struct RecordReader {
    package enum Value {
        case number(UInt64)
        case bytes(ArraySlice<UInt8>)

        package var number: UInt64 { if case .number(let number) = self { number } else { 0 } }
        package var signed: Int64 { Int64(bitPattern: number) }
        package var bytes: [UInt8] { if case .bytes(let bytes) = self { Array(bytes) } else { [] } }
        package var text: String {
            if case .bytes(let bytes) = self { String(decoding: bytes, as: UTF8.self) } else { "" }
        }

        /// The number, where it fits: what does not fit was written by nobody, and writing it again would end the
        /// process.
        package func exactly<Number: FixedWidthInteger>() throws(RecordError) -> Number {
            guard let exact = Number(exactly: number) else { throw RecordError.malformed }
            return exact
        }

        /// The fields of a record within the record.
        package func record() -> RecordReader {
            if case .bytes(let bytes) = self { RecordReader(bytes) } else { RecordReader([]) }
        }
    }

    private let bytes: ArraySlice<UInt8>
    /// Where the next field begins. The bytes stay as they are, since each slice of them is one more owner.
    private var position: Int

    package init(_ bytes: [UInt8]) {
        self.init(bytes[...])
    }

    private init(_ bytes: ArraySlice<UInt8>) {
        (self.bytes, position) = (bytes, bytes.startIndex)
    }

    /// The next field, or nil at the end.
    package mutating func next() throws(RecordError) -> (field: UInt64, value: Value)? {
        guard position < bytes.endIndex else { return nil }
        let tag = try varint()
        let content = try varint()
        guard tag & 1 == 1 else { return (tag >> 1, .number(content)) }
        guard content <= UInt64(bytes.endIndex - position) else { throw RecordError.malformed }
        let start = position
        position += Int(content)
        return (tag >> 1, .bytes(bytes[start..<position]))
    }

    private mutating func varint() throws(RecordError) -> UInt64 {
        var (value, shift) = (UInt64(0), UInt64(0))
        while shift < 70, position < bytes.endIndex {
            let byte = bytes[position]
            position += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte & 0x80 == 0 { return value }
            shift += 7
        }
        throw RecordError.malformed
    }
}

/// Why a record of the index could not be read.
package enum RecordError: Error {
    case malformed
}
