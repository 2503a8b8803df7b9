import CLinux
import NIOCore

/// The calls of CLinux, with errors thrown. This is the one file of the target that touches pointers.
///
/// Throughout: a pointer is to bytes that the caller borrows for the length of the call, together with their true
/// count, and the C side keeps none of them. A `String` passed for a path becomes a zero-terminated copy that lives as
/// long as the call.
///
/// Files are passed as objects, whose lifetime each function extends to its end: passed as a number, a descriptor could
/// be closed, and given to another file, before the call that it was read for.
enum LinuxCalls {
    static let notFound = clinux_not_found
    static let exists = clinux_exists
    static let noSpace = clinux_no_space
    static let quota = clinux_quota
    static let wouldBlock = clinux_would_block
    static let isLink = clinux_is_link
    static let notDirectory = clinux_not_directory
    static let notEmpty = clinux_not_empty
    static let crosses = clinux_crosses
    static let ioError = clinux_io_error

    /// How a file is opened.
    enum Mode {
        case read
        case directory
        /// Made; it must not be there.
        case create
        /// Read and written; it must be there.
        case update
        /// Read and written; made where it is not there.
        case ensure

        fileprivate var flag: clinux_mode {
            switch self {
            case .read: CLINUX_READ
            case .directory: CLINUX_DIRECTORY
            case .create: CLINUX_CREATE
            case .update: CLINUX_UPDATE
            case .ensure: CLINUX_ENSURE
            }
        }
    }

    /// What is known of a file without reading it.
    struct Status: Equatable {
        let size: Int64
        let links: UInt64
        let device: UInt64
        let inode: UInt64
        let isRegular: Bool
        let isDirectory: Bool

        fileprivate init(_ status: clinux_status) {
            (size, links, device, inode) = (status.size, status.links, status.device, status.inode)
            (isRegular, isDirectory) = (status.is_regular != 0, status.is_directory != 0)
        }

        /// Whether both are of one file.
        func isSameFile(as other: Status) -> Bool { device == other.device && inode == other.inode }
    }

    static func openRoot(_ path: String) throws(SystemError) -> OpenFile {
        OpenFile(try check(unsafe clinux_open_root(path), "open"))
    }

    static func makeRoot(_ path: String) throws(SystemError) {
        _ = try check(unsafe clinux_make_root(path), "mkdir")
    }

    /// Opens a file below a directory.
    ///
    /// - Parameter threads: Where it is closed.
    static func open(
        _ path: String, below directory: OpenFile, _ mode: Mode, closedOn threads: IOThreads? = nil
    ) throws(SystemError) -> OpenFile {
        defer { extendLifetime(directory) }
        let result = unsafe clinux_open_beneath(directory.descriptor, path, mode.flag)
        return OpenFile(try check(result, "openat2"), closedOn: threads)
    }

    /// Closes a descriptor. Its error is not looked at: whatever must be durable was synced before.
    static func close(_ descriptor: Int32) {
        _ = clinux_close(descriptor)
    }

    static func makeDirectory(_ name: String, in directory: OpenFile) throws(SystemError) {
        defer { extendLifetime(directory) }
        _ = try check(unsafe clinux_make_directory(directory.descriptor, name), "mkdirat")
    }

    static func removeFile(_ name: String, in directory: OpenFile) throws(SystemError) {
        defer { extendLifetime(directory) }
        _ = try check(unsafe clinux_remove_file(directory.descriptor, name), "unlinkat")
    }

    static func removeDirectory(_ name: String, in directory: OpenFile) throws(SystemError) {
        defer { extendLifetime(directory) }
        _ = try check(unsafe clinux_remove_directory(directory.descriptor, name), "unlinkat")
    }

    static func rename(
        _ old: String, in oldDirectory: OpenFile, to new: String, in newDirectory: OpenFile
    ) throws(SystemError) {
        defer { extendLifetime((oldDirectory, newDirectory)) }
        let result = unsafe clinux_rename(oldDirectory.descriptor, old, newDirectory.descriptor, new)
        _ = try check(result, "renameat")
    }

    /// Renames to a name that is free; throws `exists` where it is taken.
    static func renameNew(
        _ old: String, in oldDirectory: OpenFile, to new: String, in newDirectory: OpenFile
    ) throws(SystemError) {
        defer { extendLifetime((oldDirectory, newDirectory)) }
        let result = unsafe clinux_rename_new(oldDirectory.descriptor, old, newDirectory.descriptor, new)
        _ = try check(result, "renameat2")
    }

    static func status(of file: OpenFile) throws(SystemError) -> Status {
        defer { extendLifetime(file) }
        var status = clinux_status()
        _ = try check(unsafe clinux_status_of(file.descriptor, &status), "fstat")
        return Status(status)
    }

    /// The room of the file system that a file is on.
    static func space(of file: OpenFile) throws(SystemError) -> DirectorySpace {
        defer { extendLifetime(file) }
        var (used, available): (Int64, Int64) = (0, 0)
        _ = try check(unsafe clinux_space_of(file.descriptor, &used, &available), "fstatvfs")
        return DirectorySpace(used: used, available: available)
    }

    static func status(of name: String, in directory: OpenFile) throws(SystemError) -> Status {
        defer { extendLifetime(directory) }
        var status = clinux_status()
        _ = try check(unsafe clinux_status_at(directory.descriptor, name, &status), "fstatat")
        return Status(status)
    }

    /// Every name in a directory that was opened for this call, in no order. A name that is not UTF-8 comes with
    /// replacement characters, and so matches none of ours.
    static func names(in directory: OpenFile) throws(SystemError) -> [String] {
        defer { extendLifetime(directory) }
        var names: [String] = []
        var bytes = [UInt8](repeating: 0, count: 1 << 15)
        while true {
            let result = unsafe bytes.withUnsafeMutableBytes { buffer in
                unsafe clinux_next_names(directory.descriptor, buffer.baseAddress, buffer.count)
            }
            let filled = try check(result, "getdents64")
            guard filled > 0 else { return names }
            for name in bytes[..<Int(filled)].split(separator: 0) {
                names.append(String(decoding: name, as: UTF8.self))
            }
        }
    }

    static func lock(_ file: OpenFile) throws(SystemError) {
        defer { extendLifetime(file) }
        _ = try check(clinux_lock(file.descriptor), "flock")
    }

    /// Reads up to `count` bytes, fewer only at the end of the file.
    static func read(_ file: OpenFile, count: Int, at offset: Int64) throws(SystemError) -> ByteBuffer {
        defer { extendLifetime(file) }
        var bytes = ByteBufferAllocator().buffer(capacity: count)
        var failure: SystemError?
        unsafe bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { buffer in
            do throws(SystemError) {
                return Int(try check(unsafe clinux_read(file.descriptor, buffer.baseAddress, count, offset), "pread"))
            } catch {
                failure = error
                return 0
            }
        }
        if let failure { throw failure }
        return bytes
    }

    /// Reads `count` bytes that memory holds; nil where the disk would have to be waited for.
    static func readCached(_ file: OpenFile, count: Int, at offset: Int64) throws(SystemError) -> ByteBuffer? {
        defer { extendLifetime(file) }
        var bytes = ByteBufferAllocator().buffer(capacity: count)
        var result: Int64 = 0
        unsafe bytes.writeWithUnsafeMutableBytes(minimumWritableBytes: count) { buffer in
            unsafe result = clinux_read_cached(file.descriptor, buffer.baseAddress, count, offset)
            return Int(max(0, result))
        }
        if result == -Int64(wouldBlock) { return nil }
        _ = try check(result, "preadv2")
        return bytes
    }

    static func write(_ bytes: ByteBuffer, to file: OpenFile, at offset: Int64) throws(SystemError) {
        defer { extendLifetime(file) }
        let result = unsafe bytes.withUnsafeReadableBytes { buffer in
            unsafe clinux_write(file.descriptor, buffer.baseAddress, buffer.count, offset)
        }
        _ = try check(result, "pwrite")
    }

    static func sync(_ file: OpenFile) throws(SystemError) {
        defer { extendLifetime(file) }
        _ = try check(clinux_sync(file.descriptor), "fsync")
    }

    static func syncData(_ file: OpenFile) throws(SystemError) {
        defer { extendLifetime(file) }
        _ = try check(clinux_sync_data(file.descriptor), "fdatasync")
    }

    /// Begins to write dirty pages to the disk. It is a hint, so that its failure is the later sync's to report.
    static func startWriteback(_ file: OpenFile, at offset: Int64, count: Int64) {
        defer { extendLifetime(file) }
        _ = clinux_start_writeback(file.descriptor, offset, count)
    }

    static func truncate(_ file: OpenFile, to size: Int64) throws(SystemError) {
        defer { extendLifetime(file) }
        _ = try check(clinux_truncate(file.descriptor, size), "ftruncate")
    }

    /// Takes room on the disk for a file, where its file system can.
    static func allocate(_ file: OpenFile, size: Int64) throws(SystemError) {
        defer { extendLifetime(file) }
        _ = try check(clinux_allocate(file.descriptor, size), "fallocate")
    }

    static func makeBell() throws(SystemError) -> Int32 {
        try check(clinux_make_bell(), "eventfd")
    }

    /// Wakes `times` of the threads that wait for the bell, or lets as many later waits pass.
    static func ring(_ bell: Int32, times: UInt32 = 1) {
        _ = clinux_ring(bell, times)
    }

    /// Waits until the bell rings for this thread.
    static func awaitRing(_ bell: Int32) {
        _ = clinux_await_ring(bell)
    }

    /// Starts a thread that runs `body` and ends with it.
    static func startThread(named name: String, _ body: @escaping @Sendable () -> Void) throws(SystemError) {
        // The box is retained for the thread, which takes it over once and releases it when the body has ended; where
        // no thread starts, it is released here.
        let box = unsafe Unmanaged.passRetained(ThreadBody(body))
        let result = unsafe clinux_start_thread(
            String(decoding: name.utf8.prefix(15), as: UTF8.self),
            { context in
                guard let context = unsafe context else { return }
                unsafe Unmanaged<ThreadBody>.fromOpaque(context).takeRetainedValue().body()
            }, box.toOpaque())
        if result < 0 { unsafe box.release() }
        _ = try check(result, "pthread_create")
    }

    static func describe(_ number: Int32) -> String {
        var text = [CChar](repeating: 0, count: 128)
        let capacity = text.count
        unsafe clinux_describe(number, &text, capacity)
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    private static func check<Result: FixedWidthInteger>(
        _ result: Result, _ call: StaticString
    ) throws(SystemError) -> Result {
        guard result >= 0 else { throw SystemError(number: Int32(truncatingIfNeeded: 0 - result), call: call) }
        return result
    }

    private final class ThreadBody: Sendable {
        let body: @Sendable () -> Void

        init(_ body: @escaping @Sendable () -> Void) {
            self.body = body
        }
    }
}
