import CCurl
import NIOCore
import Primitives

/// A transfer that libcurl works on: the functions that libcurl calls, all on the engine's thread.
final class RunningTransfer {
    /// Bytes gathered before they are handed over in the middle of a round.
    private static let gatheredBytes = 512 << 10
    private static let pieceBytes = 256 << 10

    let transfer: Transfer
    let easy: EasyHandle
    /// By the monotonic clock.
    let started: UInt64
    /// When a byte went or came last, or we let it go on, by the monotonic clock.
    private(set) var lastProgress: UInt64
    /// Why it is broken off by us: libcurl tells only that a function refused.
    private(set) var refusal: TransferError?

    private let now: () -> UInt64
    private var collector = ResponseHeadCollector()
    private var outgoing = ByteBuffer()
    private var gathered = ByteBuffer()

    init(_ transfer: Transfer, _ easy: EasyHandle, now: @escaping () -> UInt64) {
        (self.transfer, self.easy, self.now) = (transfer, easy, now)
        started = now()
        lastProgress = started
    }

    /// - Returns: libcurl's result.
    static func setFunctions(of handle: OpaquePointer, to context: RunningTransfer) -> CURLcode {
        // Safe: the loop keeps the context until the handle is removed and gone, and libcurl calls these on its thread
        // only, with as many bytes as it says.
        unsafe ccurl_set_functions(
            handle,
            { bytes, _, count, context in
                guard let context = unsafe RunningTransfer.of(context), let bytes = unsafe bytes else { return 0 }
                return unsafe context.takeLine(UnsafeRawBufferPointer(start: bytes, count: count))
            },
            { bytes, _, count, context in
                guard let context = unsafe RunningTransfer.of(context), let bytes = unsafe bytes else { return 0 }
                return unsafe context.take(UnsafeRawBufferPointer(start: bytes, count: count))
            },
            { bytes, size, count, context in
                guard let context = unsafe RunningTransfer.of(context), let bytes = unsafe bytes else {
                    return Int(CURL_READFUNC_ABORT)
                }
                return unsafe context.fill(UnsafeMutableRawBufferPointer(start: bytes, count: size * count))
            }, Unmanaged.passUnretained(context).toOpaque())
    }

    private static func of(_ context: UnsafeMutableRawPointer?) -> RunningTransfer? {
        // Safe: the pointer is the one of `setFunctions`, whose object is alive.
        unsafe context.map { unsafe Unmanaged<RunningTransfer>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Whether it waits for the task, so that the backend is not to blame for the silence.
    private(set) var isHeldUpByUs = false

    var hasAnswer: Bool { collector.isComplete }

    /// Goes on after a pause.
    func resume() {
        lastProgress = now()
        isHeldUpByUs = false
        let pauses = transfer.pauses
        easy.setPauses(sending: pauses.sending, receiving: pauses.receiving)
    }

    /// Hands over what has come in this round.
    func flush() {
        guard gathered.readableBytes > 0 else { return }
        transfer.receive(gathered)
        gathered = ByteBuffer()
    }

    private func takeLine(_ line: UnsafeRawBufferPointer) -> Int {
        lastProgress = now()
        do throws(TransferError) {
            if let head = try collector.take(unsafe Array(line)) { transfer.receive(head) }
            return line.count
        } catch {
            refusal = error
            return 0
        }
    }

    private func take(_ bytes: UnsafeRawBufferPointer) -> Int {
        lastProgress = now()
        if gathered.readableBytes >= Self.gatheredBytes {
            guard transfer.hasRoom() else {
                isHeldUpByUs = true
                return ccurl_pause_receiving
            }
            flush()
        }
        if gathered.capacity == 0 {
            gathered = ByteBufferAllocator().buffer(capacity: max(bytes.count, Self.pieceBytes))
        }
        unsafe gathered.writeBytes(bytes)
        return bytes.count
    }

    private func fill(_ room: UnsafeMutableRawBufferPointer) -> Int {
        lastProgress = now()
        var filled = 0
        while filled < room.count {
            if outgoing.readableBytes == 0 {
                switch transfer.takeOutgoing(pauses: filled == 0) {
                case .bytes(let bytes): outgoing = bytes
                case .wait:
                    guard filled == 0 else { return filled }
                    isHeldUpByUs = true
                    return ccurl_pause_sending
                case .end: return filled
                }
            }
            let count = min(room.count - filled, outgoing.readableBytes)
            let part = unsafe UnsafeMutableRawBufferPointer(rebasing: room[filled..<filled + count])
            unsafe outgoing.readWithUnsafeReadableBytes { bytes in
                // Safe: both have `count` bytes.
                unsafe part.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
                return count
            }
            filled += count
        }
        return filled
    }
}
