import Glibc

/// A call of the system that failed: which, on what, and its `errno`.
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

    /// Whether room has run out, on the disk or in a quota.
    var isOutOfSpace: Bool { code == ENOSPC || code == EDQUOT }

    var description: String {
        // Safe: strerror returns a valid string, which is copied before another call on this thread could replace it.
        let reason = unsafe String(cString: strerror(code))
        return "\(call) \(path): \(reason)"
    }
}
