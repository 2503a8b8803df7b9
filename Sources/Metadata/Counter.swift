/// The value of an entry that `Mutation.add` changes: a big-endian Int64.
package enum Counter {
    /// The eight bytes of a count.
    package static func encode(_ count: Int64) -> [UInt8] {
        let bits = UInt64(bitPattern: count)
        return (0..<8).map { UInt8(truncatingIfNeeded: bits >> (56 - $0 * 8)) }
    }

    /// The count that eight bytes hold; nil for any other number of bytes.
    package static func decode(_ value: [UInt8]) -> Int64? {
        guard value.count == 8 else { return nil }
        return Int64(bitPattern: value.reduce(0) { $0 << 8 | UInt64($1) })
    }
}
