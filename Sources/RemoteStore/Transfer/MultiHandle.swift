import CCurl

/// Owns libcurl's multi handle, with its connections. It stays on the engine's thread.
@safe
final class MultiHandle {
    private let handle: OpaquePointer
    private let sockets: OpaquePointer

    /// Nil without memory.
    init?(connectionLimit: Int) {
        guard ccurl_prepare() == CURLE_OK, let sockets = unsafe ccurl_sockets_make() else { return nil }
        guard let handle = unsafe curl_multi_init() else {
            unsafe ccurl_sockets_free(sockets)
            return nil
        }
        // Both are this object's alone.
        unsafe (self.handle, self.sockets) = (handle, sockets)
        // Safe, here and below: the handle is valid as long as this object is.
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAX_TOTAL_CONNECTIONS, connectionLimit)
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAXCONNECTS, connectionLimit)
        unsafe ccurl_multi_set_long(handle, CURLMOPT_MAX_CONCURRENT_STREAMS, connectionLimit)
    }

    deinit {
        // In this order: the handle closes its connections, and notes that.
        unsafe curl_multi_cleanup(handle)
        unsafe ccurl_sockets_free(sockets)
    }

    /// Whether it was taken. Whoever adds a handle removes it before it ends.
    func add(_ easy: EasyHandle) -> Bool {
        // Safe: whoever adds a handle removes it before this object ends; connections outlive it, and the sockets them.
        unsafe ccurl_note_sockets(easy.handle, sockets) == CURLE_OK
            && curl_multi_add_handle(handle, easy.handle) == CURLM_OK
    }

    func remove(_ easy: EasyHandle) {
        // It is in this multi handle, which is the one thing that could fail.
        _ = unsafe curl_multi_remove_handle(handle, easy.handle)
    }

    /// Does what can be done without waiting. False where libcurl itself is out of order.
    ///
    /// What has come is acknowledged at once: a server that sends the end of an answer only when what was before it is
    /// acknowledged (Nagle's algorithm, as Ceph's RGW does unless `tcp_nodelay` is set) would be silent for 40 ms.
    func perform() -> Bool {
        var running: Int32 = 0
        let code = unsafe curl_multi_perform(handle, &running)
        unsafe ccurl_acknowledge(sockets)
        return code == CURLM_OK
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
