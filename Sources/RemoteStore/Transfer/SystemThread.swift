import CLinux

/// A thread of the system's, for what blocks.
enum SystemThread {
    private final class Start: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }

    /// Starts a detached thread with every signal blocked; false where the system has none left. The name has at most
    /// 15 bytes.
    static func start(_ name: String, _ body: @escaping @Sendable () -> Void) -> Bool {
        // Safe: the object is retained here and released once, by the thread, or below where no thread came.
        let start = unsafe Unmanaged.passRetained(Start(body))
        let code = unsafe clinux_start_thread(
            String(decoding: name.utf8.prefix(15), as: UTF8.self),
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<Start>.fromOpaque(context).takeRetainedValue().body()
            }, start.toOpaque())
        if code < 0 { unsafe start.release() }
        return code >= 0
    }
}
