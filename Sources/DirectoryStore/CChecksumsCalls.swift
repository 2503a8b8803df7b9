import CChecksums
import NIOCore

/// The one call of CChecksums that the store needs.
enum CChecksumsCalls {
    /// CRC-32C of a buffer's readable bytes.
    static func crc32c(_ bytes: ByteBuffer) -> UInt32 {
        // Safe: the bytes are borrowed for the length of the call together with their count, and C keeps no pointer.
        unsafe bytes.withUnsafeReadableBytes { unsafe tg_crc32c(0, $0.baseAddress, $0.count) }
    }
}
