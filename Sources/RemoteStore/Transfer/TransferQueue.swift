import CLinux
import Synchronization

/// What tasks tell the engine's thread, and the bell that wakes it.
final class TransferQueue: Sendable {
    enum Command: Sendable {
        case start(Transfer)
        /// Goes on with a transfer that was paused.
        case resume(Transfer)
        case cancel(Transfer)
        /// Ends every transfer, and the thread.
        case close
    }

    private struct State {
        var commands: [Command] = []
        var isClosed = false
    }

    private let state = Mutex(State())
    /// Readable while there are commands.
    let bell: Int32

    /// Nil where the process has no descriptor left.
    init?() {
        bell = clinux_make_bell()
        guard bell >= 0 else { return nil }
    }

    deinit {
        if bell >= 0 { _ = clinux_close(bell) }
    }

    /// Adds a command, and wakes the thread where it was the first. After `close` commands are dropped; a transfer that
    /// was to start ends at once.
    func push(_ command: Command) {
        let (rings, isDropped) = state.withLock { state -> (Bool, Bool) in
            guard !state.isClosed else { return (false, true) }
            state.commands.append(command)
            if case .close = command { state.isClosed = true }
            return (state.commands.count == 1, false)
        }
        if rings { _ = clinux_ring(bell, 1) }
        if isDropped, case .start(let transfer) = command { transfer.end(.failure(.closed)) }
    }

    /// The commands so far, in order. Silences the bell.
    func take() -> [Command] {
        let commands = state.withLock { state in
            defer { state.commands = [] }
            return state.commands
        }
        // It rang once, for the first of them.
        if !commands.isEmpty { _ = clinux_await_ring(bell) }
        return commands
    }
}
