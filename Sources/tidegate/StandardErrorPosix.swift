import Glibc

/// The process's standard error, by plain POSIX: C's `stderr` is a global variable, which the language refuses.
enum StandardError {
    /// Writes a text in one call where the system takes it so, so that lines of several threads do not mix.
    static func write(_ text: String) {
        let bytes = Array(text.utf8)
        var position = 0
        while position < bytes.count {
            // Safe: the pointer is valid for the call and covers the bytes that are read.
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe Glibc.write(
                    STDERR_FILENO, buffer.baseAddress.map { unsafe $0 + position }, buffer.count - position)
            }
            if count > 0 {
                position += count
            } else if errno != EINTR {
                // Nobody reads standard error any more; there is no other place to say so.
                return
            }
        }
    }
}
