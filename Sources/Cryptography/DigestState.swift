/// The running state of a digest: a number for a CRC, a handle of a library for the others.
enum DigestState: ~Copyable {
    case crc32(UInt32)
    case crc32c(UInt32)
    case crc64nvme(UInt64)
    case openSSL(OpenSSLDigest)
    case xxHash(XXHashDigest)

    init(_ algorithm: ChecksumAlgorithm) {
        switch algorithm {
        case .crc32: self = .crc32(0)
        case .crc32c: self = .crc32c(0)
        case .crc64nvme: self = .crc64nvme(0)
        case .sha1: self = .openSSL(OpenSSLDigest(.sha1))
        case .sha256: self = .openSSL(OpenSSLDigest(.sha256))
        case .sha512: self = .openSSL(OpenSSLDigest(.sha512))
        case .md5: self = .openSSL(OpenSSLDigest(.md5))
        case .xxhash64: self = .xxHash(XXHashDigest(.xxhash64))
        case .xxhash3: self = .xxHash(XXHashDigest(.xxhash3))
        case .xxhash128: self = .xxHash(XXHashDigest(.xxhash128))
        }
    }

    mutating func update(_ bytes: Span<UInt8>) {
        switch consume self {
        case .crc32(let before): self = .crc32(CChecksumsKernels.crc32(before, bytes))
        case .crc32c(let before): self = .crc32c(CChecksumsKernels.crc32c(before, bytes))
        case .crc64nvme(let before): self = .crc64nvme(CChecksumsKernels.crc64nvme(before, bytes))
        case .openSSL(let digest):
            digest.update(bytes)
            self = .openSSL(digest)
        case .xxHash(let digest):
            digest.update(bytes)
            self = .xxHash(digest)
        }
    }

    borrowing func value() -> [UInt8] {
        switch self {
        case .crc32(let value): value.bigEndianBytes
        case .crc32c(let value): value.bigEndianBytes
        case .crc64nvme(let value): value.bigEndianBytes
        case .openSSL(let digest): digest.value()
        case .xxHash(let digest): digest.value()
        }
    }
}

extension FixedWidthInteger where Self: UnsignedInteger {
    /// The bytes of the number, most significant first.
    var bigEndianBytes: [UInt8] {
        stride(from: Self.bitWidth - 8, through: 0, by: -8).map { UInt8(truncatingIfNeeded: self >> Self($0)) }
    }
}
