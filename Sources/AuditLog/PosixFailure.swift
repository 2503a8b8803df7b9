import Glibc

/// A call of the system that failed: which, on what, and its `errno` (0 for something that is no
/// regular file).
struct PosixFailure: Error, CustomStringConvertible {
    let call: String
    let path: String
    let code: Int32

    /// The failure of the call that has just returned on this thread.
    static func last(_ call: String, _ path: String) -> PosixFailure {
        PosixFailure(call: call, path: path, code: errno)
    }

    /// What a caller meets that comes after the log was closed.
    static func closed(_ path: String) -> PosixFailure {
        PosixFailure(call: "write to the closed log", path: path, code: EBADF)
    }

    /// What opening something meets that is a pipe, a device or a directory.
    static func noRegularFile(_ path: String) -> PosixFailure {
        PosixFailure(call: "open", path: path, code: 0)
    }

    /// Whether something stands at the path that is no regular file: ours are.
    var isNoRegularFile: Bool { call == "open" && [0, ELOOP, ENXIO, EISDIR].contains(code) }

    /// Whether this process has no right to what it asked for.
    var isForbidden: Bool { code == EACCES || code == EPERM }

    /// Whether nothing stands at the path.
    var isAbsent: Bool { code == ENOENT }

    /// Whether room has run out, on the disk or in a quota.
    var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    var description: String {
        if code == 0 { return "\(call) \(path): it is no regular file" }
        // Safe: strerror returns a valid string, which is copied before another call on this thread could replace it.
        let reason = unsafe String(cString: strerror(code))
        return "\(call) \(path): \(reason)"
    }
}
