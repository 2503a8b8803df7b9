import Glibc

/// A file that is written bit by bit, with mode 0600, under another name: it takes its own only when it is whole. The
/// calls are plain POSIX.
package struct PrivateDraft: ~Copyable {
    private let path: String
    private let draft: String
    private let descriptor: Int32
    private var waiting: [UInt8] = []
    private var isPublished = false

    /// Bytes that are gathered before a write.
    private static let pieceBytes = 256 << 10

    /// Begins a file. A draft that was left behind is replaced.
    ///
    /// - Parameter path: What the file is to be called in the end.
    package init(_ path: String) throws(PrivateFileError) {
        let draft = "\(path).new"
        // Safe: the path is a string whose terminated copy lives as long as the call.
        _ = unsafe unlink(draft)
        // Safe: as above.
        descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        (self.path, self.draft) = (path, draft)
        guard descriptor >= 0 else { throw PrivateFile.failure("cannot be made", draft) }
    }

    deinit {
        guard descriptor >= 0 else { return }
        close(descriptor)
        guard !isPublished else { return }
        // Safe: the path is a string whose terminated copy lives as long as the call. A draft that is left behind is
        // replaced next time.
        _ = unsafe unlink(draft)
    }

    package mutating func append(_ bytes: [UInt8]) throws(PrivateFileError) {
        waiting += bytes
        if waiting.count >= Self.pieceBytes { try flush() }
    }

    private mutating func flush() throws(PrivateFileError) {
        var written = 0
        while written < waiting.count {
            // Safe: the pointer is valid for the call and covers the bytes that are read.
            let count = unsafe waiting.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress.map { unsafe $0 + written }, bytes.count - written)
            }
            guard count >= 0 || errno == EINTR else { throw PrivateFile.failure("cannot be written", draft) }
            written += max(count, 0)
        }
        waiting.removeAll(keepingCapacity: true)
    }

    /// Gives the file its name, in the place of what is there, durably and at once.
    package mutating func publish() throws(PrivateFileError) {
        try flush()
        guard fsync(descriptor) == 0 else { throw PrivateFile.failure("cannot be written", draft) }
        // Safe: both paths are strings whose terminated copies live as long as the call.
        guard unsafe rename(draft, path) == 0 else { throw PrivateFile.failure("cannot be replaced", path) }
        isPublished = true
        try PrivateFile.synchronizeDirectory(of: path)
    }
}
