import Glibc

/// An open file, closed when it goes out of scope. The calls are plain POSIX, repeated after signals.
struct PosixFile: ~Copyable {
    let path: String
    private let descriptor: Int32

    enum Mode {
        case reading
        /// Appending; created with mode 0600 where absent.
        case appending
        /// Created with mode 0600; must not exist yet.
        case creating
        /// For reading and writing anywhere; created with mode 0600 where absent.
        case updating
        /// Emptied where it exists; created with mode 0600 where absent.
        case replacing

        fileprivate var flags: Int32 {
            switch self {
            case .reading: O_RDONLY
            case .appending: O_WRONLY | O_APPEND | O_CREAT
            case .creating: O_WRONLY | O_APPEND | O_CREAT | O_EXCL
            case .updating: O_RDWR | O_CREAT
            case .replacing: O_WRONLY | O_APPEND | O_CREAT | O_TRUNC
            }
        }
    }

    /// - Throws: what failed; `isNoRegularFile` where the name is one of a pipe, a link, a device or a directory.
    init(_ path: String, _ mode: Mode) throws(PosixFailure) {
        self.path = path
        descriptor = try Self.open(path, mode)
    }

    private static func open(_ path: String, _ mode: Mode) throws(PosixFailure) -> Int32 {
        // Not through a symbolic link: whoever can write beside the log must not make it write elsewhere. And not
        // waiting for whoever would be at the other end of a pipe.
        // Safe: the path is a string whose terminated copy lives as long as the call.
        let descriptor = unsafe Glibc.open(
            path, mode.flags | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, mode_t(0o600))
        guard descriptor >= 0 else { throw .last("open", path) }
        var status = stat()
        // Safe: the pointer is to a local value and is not kept.
        guard unsafe fstat(descriptor, &status) == 0 else {
            let failure = PosixFailure.last("fstat", path)
            close(descriptor)
            throw failure
        }
        guard status.st_mode & S_IFMT == S_IFREG else {
            close(descriptor)
            throw .noRegularFile(path)
        }
        return descriptor
    }

    deinit {
        close(descriptor)
    }

    /// Bytes of the file.
    func size() throws(PosixFailure) -> Int64 {
        var status = stat()
        // Safe: the pointer is to a local value and is not kept.
        guard unsafe fstat(descriptor, &status) == 0 else { throw .last("fstat", path) }
        return Int64(status.st_size)
    }

    /// Writes the bytes from `start` on; on failure, says how many were written.
    func write(_ bytes: [UInt8], from start: Int) -> (written: Int, failure: PosixFailure?) {
        var position = start
        while position < bytes.count {
            // Safe: the pointer is valid for the call and at most the bytes that it covers are read.
            let count = unsafe bytes.withUnsafeBufferPointer { buffer in
                unsafe Glibc.write(descriptor, buffer.baseAddress.map { unsafe $0 + position }, buffer.count - position)
            }
            if count >= 0 {
                position += count
            } else if errno != EINTR {
                return (position - start, .last("write", path))
            }
        }
        return (position - start, nil)
    }

    /// Appends up to `limit` bytes from an offset of the file to `bytes`; returns how many, 0 at the end.
    func read(into bytes: inout [UInt8], at offset: Int64, limit: Int) throws(PosixFailure) -> Int {
        var failure: PosixFailure?
        var readCount = 0
        // Safe: the pointer is valid for the call, at most the `limit` bytes that it covers are written, and only those
        // that were are counted as initialised.
        bytes += unsafe [UInt8](unsafeUninitializedCapacity: limit) { buffer, initialized in
            var count: Int
            repeat {
                count = unsafe pread(descriptor, buffer.baseAddress, limit, off_t(offset))
            } while count < 0 && errno == EINTR
            if count < 0 { failure = .last("pread", path) }
            initialized = max(count, 0)
            readCount = initialized
        }
        if let failure { throw failure }
        return readCount
    }

    /// Returns once the bytes are on the disk. A failure is never to be retried: the kernel may have dropped the pages.
    func synchronize() throws(PosixFailure) {
        guard fdatasync(descriptor) == 0 else { throw .last("fdatasync", path) }
    }

    func truncate(to size: Int64) throws(PosixFailure) {
        guard ftruncate(descriptor, off_t(size)) == 0 else { throw .last("ftruncate", path) }
    }

    /// Takes disk space for the first `size` bytes; false where there is not as much.
    func allocates(_ size: Int64) throws(PosixFailure) -> Bool {
        let code = posix_fallocate(descriptor, 0, off_t(size))
        guard code != 0 else { return true }
        let failure = PosixFailure(call: "posix_fallocate", path: path, code: code)
        guard failure.isOutOfSpace else { throw failure }
        return false
    }

    /// Takes the lock that one process at a time can have; false where another one has it.
    func lock() throws(PosixFailure) -> Bool {
        if flock(descriptor, LOCK_EX | LOCK_NB) == 0 { return true }
        guard errno == EWOULDBLOCK else { throw .last("flock", path) }
        return false
    }
}
