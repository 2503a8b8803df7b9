import Primitives

/// The id of a version of an object: `null`, or 32 hexadecimal digits that clients treat as opaque.
package enum VersionID: Sendable, Hashable, CustomStringConvertible {
    case null
    /// The order among the versions of its key, and a number drawn by the writer.
    case versioned(sequence: UInt64, uid: UInt64)

    /// Nil for a text that is no version id of ours.
    package init?(_ text: String) {
        if text.utf8.elementsEqual("null".utf8) {
            self = .null
            return
        }
        guard text.utf8.count == 32, let bytes = Hex.decode(text) else { return nil }
        func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self = .versioned(sequence: number(bytes[0..<8]), uid: number(bytes[8..<16]))
    }

    package var description: String {
        switch self {
        case .null: "null"
        case .versioned(let sequence, let uid): Self.hex(sequence) + Self.hex(uid)
        }
    }

    private static func hex(_ number: UInt64) -> String {
        Hex.encode((0..<8).map { UInt8(truncatingIfNeeded: number >> (56 - 8 * $0)) })
    }
}
