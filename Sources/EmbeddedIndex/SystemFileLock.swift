import CSQLite

/// A lock on a file, held by this process until the value goes.
struct SystemFileLock: ~Copyable {
    private let descriptor: Int32

    /// - Throws: `SQLITE_BUSY` where another process, or another index of this one, holds the lock.
    init(path: String) throws(SQLiteError) {
        var holder: Int32 = 0
        // Safe: the path is a null-terminated string for the call, which fills the local variable.
        let descriptor = unsafe csqlite_lock_file(path, &holder)
        guard descriptor >= 0 else {
            guard holder >= 0 else {
                throw SQLiteError(
                    code: SQLITE_CANTOPEN, message: "its lock file cannot be made (error \(-descriptor))")
            }
            let process = holder > 0 ? "the process \(holder)" : "another process"
            throw SQLiteError(
                code: SQLITE_BUSY,
                message: "\(process) has it open, a gateway that serves it or a command that works on it; "
                    + "end that first")
        }
        self.descriptor = descriptor
    }

    deinit {
        csqlite_close(descriptor)
    }

    /// Keeps the lock until here: the compiler may end a value's life at its last use.
    borrowing func hold() {}

    /// Creates a file for this user alone where it does not exist.
    static func create(_ path: String) throws(SQLiteError) {
        // Safe: the path is a null-terminated string for the call.
        let code = unsafe csqlite_create_file(path)
        guard code == 0 else {
            throw SQLiteError(code: SQLITE_CANTOPEN, message: "the index's file cannot be made (error \(-code))")
        }
    }
}
