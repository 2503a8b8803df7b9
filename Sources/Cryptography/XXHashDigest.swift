import CChecksums

/// A running XXH64, XXH3 or XXH128 with seed 0: owns the C handle.
@safe
struct XXHashDigest: ~Copyable {
    /// The kinds of hash, by the numbers of the C side.
    enum Kind: Int32 {
        case xxhash64 = 0
        case xxhash3 = 1
        case xxhash128 = 2
    }

    private let handle: OpaquePointer
    private let length: Int

    init(_ kind: Kind) {
        // The handle is this value's alone until `deinit`: nothing copies it, since the structure cannot be copied.
        unsafe handle = tg_xxhash_create(kind.rawValue)
        length = kind == .xxhash128 ? 16 : 8
    }

    deinit {
        // Nobody else has the handle, and `deinit` runs once.
        unsafe tg_xxhash_destroy(handle)
    }

    func update(_ bytes: Span<UInt8>) {
        // The bytes are borrowed for the length of the call, and the C side keeps no pointer to them.
        unsafe bytes.withUnsafeBytes { unsafe tg_xxhash_update(handle, $0.baseAddress, $0.count) }
    }

    func value() -> [UInt8] {
        let (handle, length) = unsafe (handle, length)
        return unsafe [UInt8](unsafeUninitializedCapacity: length) { output, count in
            guard let base = output.baseAddress else { return }
            // The C side writes exactly `length` bytes of this kind.
            unsafe tg_xxhash_value(handle, base)
            count = length
        }
    }
}
