import Glibc

/// The directory of a log.
struct PosixDirectory: Sendable {
    let path: String

    init(_ path: String) {
        self.path = path
    }

    func file(_ name: String) -> String { "\(path)/\(name)" }

    /// Makes the directory with mode 0700 where it is absent, durably; its parent must exist.
    func create() throws(PosixFailure) {
        // Safe: the path is a string whose terminated copy lives as long as the call.
        let isNew = unsafe mkdir(path, mode_t(0o700)) == 0
        guard isNew || errno == EEXIST else { throw .last("mkdir", path) }
        do throws(PosixFailure) {
            // Also where it was there already: whoever made it may have died before this.
            try PosixDirectory("\(path)/..").synchronize()
        } catch {
            // Whoever may not read the parent was not who made the directory in it.
            guard !isNew, error.isForbidden else { throw error }
        }
    }

    /// The names in it, in byte order, without `.` and `..`.
    func names() throws(PosixFailure) -> [String] {
        // Safe: the handle is closed before it is left, and not used after.
        guard let handle = unsafe opendir(path) else { throw .last("opendir", path) }
        defer { unsafe closedir(handle) }
        var names: [String] = []
        while true {
            errno = 0
            // Safe: the entry is valid until the next call on this handle; its name, which is terminated, is copied
            // before.
            guard let entry = unsafe readdir(handle) else { break }
            let name = unsafe withUnsafePointer(to: entry.pointee.d_name) { pointer in
                unsafe pointer.withMemoryRebound(to: CChar.self, capacity: 256) { unsafe String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw .last("readdir", path) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Makes the names durable that were made or removed.
    func synchronize() throws(PosixFailure) {
        // Safe: the path is a string whose terminated copy lives as long as the call.
        let descriptor = unsafe open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .last("open", path) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last("fsync", path) }
    }

    /// Gives a file the name of another one, which is gone then; durable once the directory is synced.
    func rename(_ name: String, to newName: String) throws(PosixFailure) {
        // Safe: the paths are strings whose terminated copies live as long as the call.
        guard unsafe Glibc.rename(file(name), file(newName)) == 0 else { throw .last("rename", file(name)) }
    }

    /// Removes a file; does nothing where there is none.
    func remove(_ name: String) throws(PosixFailure) {
        // Safe: the path is a string whose terminated copy lives as long as the call.
        guard unsafe unlink(file(name)) == 0 || errno == ENOENT else { throw .last("unlink", file(name)) }
    }
}
