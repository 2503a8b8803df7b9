import CChecksums

/// The CRCs of CChecksums. Each goes on from the finished value of the bytes before, 0 at the start.
package enum CChecksumsKernels {
    /// CRC-32/ISO-HDLC.
    static func crc32(_ before: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        // Here and below: the bytes are borrowed for the length of the call, and the C side keeps no pointer to them.
        unsafe bytes.withUnsafeBytes { unsafe tg_crc32(before, $0.baseAddress, $0.count) }
    }

    /// CRC-32/ISCSI.
    static func crc32c(_ before: UInt32, _ bytes: Span<UInt8>) -> UInt32 {
        unsafe bytes.withUnsafeBytes { unsafe tg_crc32c(before, $0.baseAddress, $0.count) }
    }

    /// CRC-64/NVME, the fastest way.
    package static func crc64nvme(_ before: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe tg_crc64nvme(before, $0.baseAddress, $0.count) }
    }

    /// CRC-64/NVME by tables, for the comparison of the two ways.
    package static func crc64nvmeByTables(_ before: UInt64, _ bytes: Span<UInt8>) -> UInt64 {
        unsafe bytes.withUnsafeBytes { unsafe tg_crc64nvme_by_tables(before, $0.baseAddress, $0.count) }
    }

    /// Whether `crc64nvme` uses carry-less multiplication on this processor.
    package static var isCRC64NVMEAccelerated: Bool { tg_crc64nvme_is_accelerated() == 1 }
}
