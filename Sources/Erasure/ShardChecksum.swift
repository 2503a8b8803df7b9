import CISAL
import NIOCore
package import Primitives

/// The checksum of everything in a shard: CRC-64/XZ over what the bytes are, then over the bytes.
///
/// What they are is the deployment, the blob, the number of the shard and the number of the cell; so a cell that is
/// sound but lies in the wrong place, or is a stale one, fails its check. It guards against faults, not against
/// forgers.
package struct ShardChecksum: Hashable, Sendable {
    /// Parts of a shard that are not cells; cells use the number of their stripe.
    package enum Part: UInt64, Sendable {
        case header = 0xffff_ffff_ffff_fff0
        case footer = 0xffff_ffff_ffff_fff1
        case recovery = 0xffff_ffff_ffff_fff2
        case trailer = 0xffff_ffff_ffff_fff3
        case root = 0xffff_ffff_ffff_fff4
    }

    private let seed: UInt64

    package init(deployment: DeploymentID, blob: BlobName, shard: Int) {
        let identity = deployment.bytes + blob.whole.bytes + [UInt8(truncatingIfNeeded: shard)]
        seed = Self.continued(0, over: ByteBuffer(bytes: identity).readableBytesSpan)
    }

    /// The checksum of the cell of a stripe.
    package func ofCell(_ bytes: RawSpan, stripe: Int64) -> UInt64 {
        Self.continued(begin(stripe: stripe), over: bytes)
    }

    /// Begins the checksum of a cell that comes in pieces; `continued` takes each piece.
    package func begin(stripe: Int64) -> UInt64 {
        cisal_crc64_word(seed, UInt64(bitPattern: stripe))
    }

    /// The checksum of another part.
    package func of(_ part: Part, _ bytes: RawSpan) -> UInt64 {
        Self.continued(cisal_crc64_word(seed, part.rawValue), over: bytes)
    }

    /// The checksum after more bytes.
    package static func continued(_ checksum: UInt64, over bytes: RawSpan) -> UInt64 {
        cisal_crc64(checksum, bytes)
    }

    /// The root of a shard without cells; `extended` takes the checksum of each cell in turn.
    package var emptyRoot: UInt64 { cisal_crc64_word(seed, Part.root.rawValue) }

    /// A root after one more checksum. Also joins the roots of the shards into the blob's, beginning with 0.
    package static func extended(_ root: UInt64, by checksum: UInt64) -> UInt64 {
        cisal_crc64_word(root, checksum)
    }
}
