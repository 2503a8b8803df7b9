import Glibc

/// How many files, connections among them, the process may have open.
enum FileDescriptorLimit {
    /// Raises the limit as far as the process may, and tells it; nil where the system does not say.
    ///
    /// A service is started with a low limit for the sake of programs that use `select`, and is meant to raise it.
    static func raise() -> Int? {
        var limit = rlimit()
        // Safe: the pointer is to a variable of the type that the call fills.
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return nil }
        var raised = limit
        raised.rlim_cur = limit.rlim_max
        // Safe: the call reads the variable.
        if unsafe setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &raised) == 0 { limit = raised }
        return Int(clamping: limit.rlim_cur)
    }
}
