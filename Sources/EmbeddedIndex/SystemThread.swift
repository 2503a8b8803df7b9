import CSQLite

/// A thread of the system's, for calls that block.
enum SystemThread {
    private final class Start {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Starts a detached thread; false where the system has none left. The name has at most 15 bytes.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        // Safe: the object is retained here and released once, by the thread, or below where no thread came.
        let start = unsafe Unmanaged.passRetained(Start(body))
        let code = unsafe csqlite_start_thread(
            name,
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
            }, start.toOpaque())
        if code != 0 { unsafe start.release() }
        return code == 0
    }
}

/// A semaphore of the kernel's on which threads sleep. Signals are not lost: one that nobody awaits lets the next one
/// pass.
final class SystemSemaphore: Sendable {
    private let descriptor: Int32

    /// Nil where the process has no descriptor left.
    init?() {
        descriptor = csqlite_event_create()
        if descriptor < 0 { return nil }
    }

    deinit {
        if descriptor >= 0 { csqlite_close(descriptor) }
    }

    func signal() { csqlite_event_signal(descriptor) }

    func wait() { csqlite_event_wait(descriptor) }
}
