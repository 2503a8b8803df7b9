import Glibc

/// Why a file with a secret cannot be used. The message names the file, what is wrong and what to do.
package struct PrivateFileError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) {
        self.description = description
    }
}

/// Files that hold secrets: read only where nobody but their owner can read them. The calls are plain POSIX.
package enum PrivateFile {
    /// Bytes of the largest secret.
    private static let maximumSize = 64 << 10

    /// The text of a file, without the white space at its end.
    ///
    /// - Throws: where it cannot be read, is no ordinary file, belongs to somebody else, can be read or written by
    ///   others, or is larger than 64 KiB.
    package static func read(_ path: String) throws(PrivateFileError) -> String {
        // Safe: the path is a string whose terminated copy lives as long as the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("cannot be opened", path) }
        defer { close(descriptor) }
        var status = stat()
        // Safe: the pointer is to a local value and is not kept.
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("cannot be examined", path) }
        guard status.st_mode & S_IFMT == S_IFREG else { throw PrivateFileError("`\(path)` is no ordinary file") }
        if let exposure = exposure(of: status, path) { throw exposure }
        guard status.st_size <= off_t(maximumSize) else { throw PrivateFileError("`\(path)` is larger than 64 KiB") }
        var bytes = try readAll(descriptor, path, atMost: maximumSize)
        while let last = bytes.last, [0x20, 0x09, 0x0A, 0x0D].contains(last) { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else {
            throw PrivateFileError("`\(path)` is not UTF-8")
        }
        return text
    }

    /// Fails where others can use a file. Links are followed, as the tools that renew certificates make them.
    package static func check(_ path: String) throws(PrivateFileError) {
        // Safe: the path is a string whose terminated copy lives as long as the call.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw failure("cannot be opened", path) }
        defer { close(descriptor) }
        if let exposure = try exposure(of: descriptor, path) { throw exposure }
    }

    /// Reads a file that may hold secrets, or none.
    ///
    /// - Parameter size: The bytes that are wanted at most; of a longer file some more may be returned.
    /// - Returns: The bytes, and why there must be no secret among them: nil where nobody but the owner can use them.
    package static func readOpenly(
        _ path: String, atMost size: Int
    ) throws(PrivateFileError) -> (bytes: [UInt8], exposure: PrivateFileError?) {
        // Safe: as above.
        let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be opened", path) }
        defer { close(descriptor) }
        return (try readAll(descriptor, path, atMost: size), try exposure(of: descriptor, path))
    }

    private static func exposure(of descriptor: Int32, _ path: String) throws(PrivateFileError) -> PrivateFileError? {
        var status = stat()
        // Safe: the pointer is to a local value and is not kept.
        guard unsafe fstat(descriptor, &status) == 0 else { throw failure("cannot be examined", path) }
        return exposure(of: status, path)
    }

    /// Why a file must not hold a secret; nil where it may.
    private static func exposure(of status: stat, _ path: String) -> PrivateFileError? {
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            return PrivateFileError(
                "`\(path)` belongs to another user: its owner must be the one who runs the gateway")
        }
        guard status.st_mode & 0o077 == 0 else {
            return PrivateFileError("`\(path)` can be used by others: run `chmod 600 \(path)`")
        }
        return nil
    }

    private static func readAll(
        _ descriptor: Int32, _ path: String, atMost size: Int
    ) throws(PrivateFileError) -> [UInt8] {
        var bytes: [UInt8] = []
        while bytes.count <= size {
            var count = 0
            // Safe: at most the 4,096 bytes that the pointer covers are written, and only those that were are counted.
            bytes += unsafe [UInt8](unsafeUninitializedCapacity: 4096) { buffer, initialized in
                repeat {
                    count = unsafe Glibc.read(descriptor, buffer.baseAddress, 4096)
                } while count < 0 && errno == EINTR
                initialized = max(count, 0)
            }
            guard count >= 0 else { throw failure("cannot be read", path) }
            if count == 0 { break }
        }
        return bytes
    }

    /// Makes a file with mode 0600, durably; false where there is one already.
    package static func create(_ path: String, _ text: String) throws(PrivateFileError) -> Bool {
        let draft = try write(text, besides: path)
        // A link, unlike a renaming, never replaces a file that another process has made meanwhile.
        // Safe: both paths are strings whose terminated copies live as long as the call.
        let linked = unsafe link(draft, path)
        let code = errno
        // Safe: as above. A draft that is left behind is replaced next time.
        _ = unsafe unlink(draft)
        guard linked == 0 else {
            if code == EEXIST { return false }
            errno = code
            throw failure("cannot be made", path)
        }
        try synchronizeDirectory(of: path)
        return true
    }

    /// Puts a file with mode 0600 in the place of what is there, durably and at once.
    package static func replace(_ path: String, _ text: String) throws(PrivateFileError) {
        var draft = try PrivateDraft(path)
        try draft.append(Array(text.utf8))
        try draft.publish()
    }

    /// Writes a text under another name first, so that a crash never leaves half a secret under the real one.
    private static func write(_ text: String, besides path: String) throws(PrivateFileError) -> String {
        let draft = "\(path).new"
        // Safe: the path is a string whose terminated copy lives as long as the call.
        _ = unsafe unlink(draft)
        // Safe: as above.
        let descriptor = unsafe open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode_t(0o600))
        guard descriptor >= 0 else { throw failure("cannot be made", draft) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        // Safe: the pointer is valid for the call and covers the bytes that are read.
        let written = unsafe bytes.withUnsafeBytes { unsafe Glibc.write(descriptor, $0.baseAddress, $0.count) }
        guard written == bytes.count, fsync(descriptor) == 0 else { throw failure("cannot be written", draft) }
        return draft
    }

    static func synchronizeDirectory(of path: String) throws(PrivateFileError) {
        let slash = path.utf8.lastIndex(of: UInt8(ascii: "/"))
        let parent = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        // Safe: the path is a string whose terminated copy lives as long as the call.
        let descriptor = unsafe open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw failure("cannot be opened", parent) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw failure("cannot be synced", parent) }
    }

    static func failure(_ what: String, _ path: String) -> PrivateFileError {
        // Safe: strerror returns a valid string, which is copied before another call on this thread could replace it.
        PrivateFileError("`\(path)` \(what): \(unsafe String(cString: strerror(errno)))")
    }
}
