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
        guard let handle = unsafe tg_digest_create(kind.rawValue) else { Self.refuse() }
        // The handle is this value's alone until `deinit`: nothing copies it, since the structure cannot be copied.
        unsafe self.handle = handle
        self.kind = kind
    }

    deinit {
        // Nobody else has the handle, and `deinit` runs once.
        unsafe tg_digest_destroy(handle)
    }

    func update(_ bytes: Span<UInt8>) {
        // The bytes are borrowed for the length of the call, and the C side keeps no pointer to them.
        let done = unsafe bytes.withUnsafeBytes { unsafe tg_digest_update(handle, $0.baseAddress, $0.count) }
        guard done == 1 else { Self.refuse() }
    }

    func value() -> [UInt8] {
        let (handle, length) = unsafe (handle, kind.length)
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
            // The C side writes exactly the digest's length, having checked it against the capacity that is passed.
            guard let base = output.baseAddress, unsafe tg_digest_value(handle, base, length) == 1 else {
                Self.refuse()
            }
            count = length
        }
    }

    /// The digest of one buffer, without a handle of its own.
    static func hash(_ kind: Kind, _ bytes: Span<UInt8>) -> [UInt8] {
        let length = kind.length
        return unsafe bytes.withUnsafeBytes { input in
            unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
                // As in `value`; and the input is borrowed for the length of the call.
                guard let base = output.baseAddress,
                    unsafe tg_digest_once(kind.rawValue, input.baseAddress, input.count, base, length) == 1
                else { Self.refuse() }
                count = length
            }
        }
    }

    private static func refuse() -> Never {
        // OpenSSL refuses these calls only without memory, where Swift's own allocations end the process too, or
        // without the algorithm, which `CryptographyAvailability.check` finds at the start. Going on would mean a
        // wrong digest.
        fatalError("OpenSSL could not compute a digest.")
    }
}
