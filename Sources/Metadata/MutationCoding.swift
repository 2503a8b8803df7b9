/// Mutations as bytes: for the log of an index and the journal of its backup.
///
/// Each is a tag (0 put, 1 remove, 2 add, 3 create), the key's length as two bytes, the key, and then for a put or a
/// create the value's length as four bytes and the value, for an add the difference as eight bytes. Numbers are
/// big-endian.
package enum MutationCoding {
    /// The bytes of mutations that keep `MetadataLimits`.
    package static func encode(_ mutations: [Mutation]) -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(
            mutations.reduce(0) { sum, mutation in
                switch mutation {
                case .put(let key, let value), .create(let key, let value): sum + 7 + key.count + value.count
                case .remove(let key): sum + 3 + key.count
                case .add(let key, _): sum + 11 + key.count
                }
            })
        for mutation in mutations {
            switch mutation {
            case .put(let key, let value):
                append(tag: 0, key, to: &bytes)
                append(value, to: &bytes)
            case .create(let key, let value):
                append(tag: 3, key, to: &bytes)
                append(value, to: &bytes)
            case .remove(let key):
                append(tag: 1, key, to: &bytes)
            case .add(let key, let difference):
                append(tag: 2, key, to: &bytes)
                bytes += Counter.encode(difference)
            }
        }
        return bytes
    }

    private static func append(tag: UInt8, _ key: Key, to bytes: inout [UInt8]) {
        bytes.append(tag)
        bytes.append(UInt8(truncatingIfNeeded: key.count >> 8))
        bytes.append(UInt8(truncatingIfNeeded: key.count))
        bytes += key
    }

    private static func append(_ value: [UInt8], to bytes: inout [UInt8]) {
        for shift in [24, 16, 8, 0] { bytes.append(UInt8(truncatingIfNeeded: value.count >> shift)) }
        bytes += value
    }

    /// The mutations of what `encode` gives; nil for anything else.
    package static func decode(_ bytes: [UInt8]) -> [Mutation]? {
        var mutations: [Mutation] = []
        var rest = bytes[...]
        while let tag = rest.popFirst() {
            guard let length = number(2, from: &rest), length <= MetadataLimits.keyLength,
                let key = take(length, from: &rest)
            else { return nil }
            switch tag {
            case 0, 3:
                guard let count = number(4, from: &rest), let value = take(count, from: &rest) else { return nil }
                mutations.append(tag == 0 ? .put(key, value) : .create(key, value))
            case 1:
                mutations.append(.remove(key))
            case 2:
                guard let difference = take(8, from: &rest).flatMap(Counter.decode) else { return nil }
                mutations.append(.add(key, difference))
            default:
                return nil
            }
        }
        return mutations
    }

    private static func number(_ count: Int, from rest: inout ArraySlice<UInt8>) -> Int? {
        take(count, from: &rest).map { $0.reduce(0) { $0 << 8 | Int($1) } }
    }

    private static func take(_ count: Int, from rest: inout ArraySlice<UInt8>) -> [UInt8]? {
        guard rest.count >= count else { return nil }
        defer { rest.removeFirst(count) }
        return Array(rest.prefix(count))
    }
}
