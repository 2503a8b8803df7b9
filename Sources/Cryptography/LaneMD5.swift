import CChecksums
import NIOCore
import Synchronization

/// A running MD5 of a long message, whose bytes may be taken side by side with those of others (`MD5Lanes`).
package final class LaneMD5: Sendable {
    /// Bytes that a message is to take.
    struct Piece: Sendable {
        let message: LaneMD5
        let bytes: ByteBuffer
    }

    /// How many pieces are taken at once at most.
    static let lanes = Int(tg_md5_lanes)

    /// Whether several messages are computed at once on this processor, rather than one after the other.
    package static var isAccelerated: Bool { tg_md5_is_accelerated() == 1 }

    /// Whether this process computes messages one after the other, as on a processor that cannot do several at once.
    /// The digests are the same; to see what the lanes give is all that this is for.
    package static func bePlain(_ isPlain: Bool) { tg_md5_be_plain(isPlain ? 1 : 0) }

    private let state = Mutex(MD5Handle())

    package init() {}

    /// The digest of what came so far.
    package func value() -> [UInt8] {
        state.withLock { $0.value() }
    }

    /// Appends bytes to each of some messages, `lanes` at most, no two of them the same.
    static func update(_ pieces: [Piece]) {
        unsafe update(pieces[...], Pointers())
    }

    /// What the C side is given: as many of each.
    @unsafe
    private struct Pointers {
        var messages: [OpaquePointer?] = unsafe []
        var bytes: [UnsafeRawPointer?] = unsafe []
        var counts: [Int] = []
    }

    /// Borrows the state and the bytes of each piece, and calls the C side when it has all.
    private static func update(_ rest: ArraySlice<Piece>, _ pointers: Pointers) {
        guard let piece = rest.first else {
            // Each pointer is to what an outer call of this function borrows until this call has returned, together
            // with its true count, and the C side keeps none.
            let messages = unsafe pointers.messages.compactMap { unsafe $0 }
            return unsafe tg_md5_update(messages, pointers.bytes, pointers.counts, messages.count)
        }
        piece.message.state.withLock { handle in
            let address = handle.address
            unsafe piece.bytes.withUnsafeReadableBytes { bytes in
                var all = unsafe pointers
                unsafe all.messages.append(OpaquePointer(bitPattern: address))
                unsafe all.bytes.append(bytes.baseAddress)
                unsafe all.counts.append(bytes.count)
                unsafe update(rest.dropFirst(), all)
            }
        }
    }
}

/// Owns the C handle of a running MD5.
@safe
private struct MD5Handle: ~Copyable {
    private let pointer: OpaquePointer

    /// The handle, for calls while the structure is borrowed: a number, since a pointer would have to stay behind the
    /// lock that the structure is behind.
    var address: UInt { unsafe UInt(bitPattern: pointer) }

    init() {
        // The handle is this value's alone until `deinit`: nothing copies it, since the structure cannot be copied.
        unsafe pointer = tg_md5_create()
    }

    deinit {
        // Nobody else has the handle, and `deinit` runs once.
        unsafe tg_md5_destroy(pointer)
    }

    func value() -> [UInt8] {
        let pointer = unsafe pointer
        return unsafe [UInt8](unsafeUninitializedCapacity: 16) { output, count in
            guard let base = output.baseAddress else { return }
            // The C side writes exactly 16 bytes.
            unsafe tg_md5_value(pointer, base)
            count = 16
        }
    }
}
