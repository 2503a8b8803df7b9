import COpenSSL

/// A running digest of OpenSSL's: owns the C handle.
@safe
struct OpenSSLDigest: ~Copyable {
    /// The digests that the C side fetches, by its numbers.
    enum Kind: Int32 {
        case md5 = 0
        case sha1 = 1
        case sha256 = 2
        case sha512 = 3

        var length: Int {
            switch self {
            case .md5: 16
            case .sha1: 20
            case .sha256: 32
            case .sha512: 64
            }
        }

        init?(_ algorithm: ChecksumAlgorithm) {
            switch algorithm {
            case .md5: self = .md5
            case .sha1: self = .sha1
            case .sha256: self = .sha256
            case .sha512: self = .sha512
            case .crc32, .crc32c, .crc64nvme, .xxhash64, .xxhash3, .xxhash128: return nil
            }
        }
    }

    private let handle: OpaquePointer
    private let kind: Kind

    init(_ kind: Kind) {
        // The handle is this value's alone until `deinit`: nothing copies it, since the structure cannot be copied.
        unsafe handle = tg_digest_create(kind.rawValue)
        self.kind = kind
    }

    deinit {
        // Nobody else has the handle, and `deinit` runs once.
        unsafe tg_digest_destroy(handle)
    }

    func update(_ bytes: Span<UInt8>) {
        // The bytes are borrowed for the length of the call, and the C side keeps no pointer to them.
        unsafe bytes.withUnsafeBytes { unsafe tg_digest_update(handle, $0.baseAddress, $0.count) }
    }

    func value() -> [UInt8] {
        let (handle, length) = unsafe (handle, kind.length)
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
            guard let base = output.baseAddress else { return }
            // The C side writes exactly the digest's length, having checked it against the capacity that is passed.
            unsafe tg_digest_value(handle, base, length)
            count = length
        }
    }

    /// The digest of one buffer, without a handle of its own.
    static func hash(_ kind: Kind, _ bytes: Span<UInt8>) -> [UInt8] {
        let length = kind.length
        return unsafe bytes.withUnsafeBytes { input in
            unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
                guard let base = output.baseAddress else { return }
                // As in `value`; and the input is borrowed for the length of the call.
                unsafe tg_digest_once(kind.rawValue, input.baseAddress, input.count, base, length)
                count = length
            }
        }
    }
}
