package import NIOCore
import Primitives

/// The text in which a store keeps its identity: a file of a directory, an object of a bucket.
///
/// ```
/// tidegate store
/// format 1
/// deployment <32 hexadecimal digits>
/// store <32 hexadecimal digits>
/// high-water <decimal number>
/// ```
package enum StoreIdentityText {
    /// The most bytes that an identity may have.
    package static let limit = 4096

    private static let title = "tidegate store"

    package static func encode(_ identity: StoreIdentity) -> ByteBuffer {
        ByteBuffer(
            string: """
                \(title)
                format \(identity.formatVersion)
                deployment \(Hex.encode(identity.deployment))
                store \(Hex.encode(identity.store))
                high-water \(identity.highWaterMark)

                """)
    }

    /// - Throws: `corrupt` for anything that `encode` does not give; `unavailable` for a newer format.
    package static func decode(_ bytes: ByteBuffer) throws(StorageError) -> StoreIdentity {
        let lines = String(buffer: bytes).utf8.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
        guard lines.count >= 2, lines[0].elementsEqual(title.utf8),
            let format = value("format", in: lines[1]).flatMap({ UInt32($0) })
        else { throw .corrupt("the store's identity cannot be read") }
        guard format <= StoreIdentity.currentFormatVersion else {
            throw .unavailable(
                "the store has format \(format); this version reads up to \(StoreIdentity.currentFormatVersion)")
        }
        guard lines.count == 6, lines[5].isEmpty,
            let deployment = value("deployment", in: lines[2]).flatMap({ Hex.decode($0) }),
            let store = value("store", in: lines[3]).flatMap({ Hex.decode($0) }),
            let highWater = value("high-water", in: lines[4]).flatMap({ UInt64($0) }),
            let identity = StoreIdentity(
                deployment: deployment, store: store, formatVersion: format, highWaterMark: highWater)
        else { throw .corrupt("the store's identity cannot be read") }
        return identity
    }

    private static func value(_ field: String, in line: Substring.UTF8View) -> Substring? {
        guard line.starts(with: (field + " ").utf8) else { return nil }
        return Substring(line.dropFirst(field.utf8.count + 1))
    }
}
