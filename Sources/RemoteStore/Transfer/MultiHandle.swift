import CCurl

/// Owns libcurl's multi handle, with its connections. It stays on the engine's thread.
@safe
final class MultiHandle {
    private let handle: OpaquePointer

    /// Nil without memory.
    init?(connectionLimit: Int) {
        guard ccurl_prepare() == CURLE_OK, let handle = unsafe curl_multi_init() else { return nil }
        // The handle is this object's alone.
        unsafe self.handle = handle
        // Safe, here and below: the handle is valid as long as this object is.
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, connectionLimit)
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connectionLimit)
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAX_CONCURRENT_STREAMS, connectionLimit)
    }

    deinit {
        unsafe curl_multi_cleanup(handle)
    }

    /// Whether it was taken. Whoever adds a handle removes it before it ends.
    func add(_ easy: EasyHandle) -> Bool {
        unsafe curl_multi_add_handle(handle, easy.handle) == CURLM_OK
    }

    func remove(_ easy: EasyHandle) {
        // It is in this multi handle, which is the one thing that could fail.
        _ = unsafe curl_multi_remove_handle(handle, easy.handle)
    }

    /// Does what can be done without waiting. False where libcurl itself is out of order.
    func perform() -> Bool {
        var running: Int32 = 0
        return unsafe curl_multi_perform(handle, &running) == CURLM_OK
    }

    /// Waits until there is something to do, the bell rings, or the time is over.
    func wait(bell: Int32, milliseconds: Int32) {
        // A failure is a bad descriptor or no memory: the next round finds what there is.
        _ = unsafe ccurl_multi_wait(handle, bell, milliseconds)
    }

    /// The handles that have ended since the last call, by their `identity`, with their results.
    func ended() -> [(identity: UInt, code: CURLcode)] {
        var ended: [(UInt, CURLcode)] = []
        var code = CURLE_OK
        while let easy = unsafe ccurl_multi_next_ended(handle, &code) {
            ended.append((UInt(bitPattern: easy), code))
        }
        return ended
    }
}
