import CSQLite

/// A connection, for one thread. Every use of SQLite's pointers is in this file and in `SQLiteStatement.swift`.
///
/// It is safe to use: the pointer is valid from a successful `init` to `deinit`, and nothing hands it out but to
/// statements, which SQLite allows to outlive the connection (`sqlite3_close_v2`). It is not Sendable, so it stays on
/// its thread, which the open flag NOMUTEX asks for.
@safe struct SQLiteConnection: ~Copyable {
    enum Access {
        case readWrite, readOnly
    }

    private let handle: OpaquePointer

    init(path: String, access: Access, fileSystem: String? = nil) throws(SQLiteError) {
        var handle: OpaquePointer?
        let flags = (access == .readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX
        // Safe: the path and the name are null-terminated strings for the call, and SQLite fills the local variable.
        let code = unsafe sqlite3_open_v2(path, &handle, flags, fileSystem)
        guard let opened = unsafe handle else {
            throw SQLiteError(code: code, message: "there is no memory for a connection")
        }
        guard code == SQLITE_OK else {
            // Safe: SQLite gives a handle with most failures, which must be closed and is not used after that.
            let error = unsafe Self.error(opened, code)
            _ = unsafe sqlite3_close_v2(opened)
            throw error
        }
        // Safe: the handle is open. Neither call fails on an open handle.
        _ = unsafe sqlite3_extended_result_codes(opened, 1)
        _ = unsafe csqlite_disable_checkpoint_on_close(opened)
        unsafe self.handle = unsafe opened
    }

    deinit {
        // Safe: the handle is open and nobody else closes it.
        _ = unsafe sqlite3_close_v2(handle)
    }

    /// Runs statements that give no rows.
    func execute(_ sql: String) throws(SQLiteError) {
        // Safe: the text is null-terminated for the call, and no callback is given.
        let code = unsafe sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw unsafe Self.error(handle, code) }
    }

    /// Compiles a statement.
    func prepare(_ sql: String) throws(SQLiteError) -> SQLiteStatement {
        var statement: OpaquePointer?
        // Safe: the text is null-terminated for the call, and SQLite fills the local variable.
        let code = unsafe sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let compiled = unsafe statement else { throw unsafe Self.error(handle, code) }
        return unsafe SQLiteStatement(compiled, of: handle)
    }

    /// The first column of the first row of a query, or nil.
    func number(_ sql: String) throws(SQLiteError) -> Int64? {
        let statement = try prepare(sql)
        return try statement.step() && !statement.isNull(0) ? statement.number(0) : nil
    }

    /// The bytes of the first column of the first row of a query.
    func bytes(_ sql: String) throws(SQLiteError) -> [UInt8] {
        let statement = try prepare(sql)
        return try statement.step() ? statement.bytes(0) : []
    }

    /// Copies pages of the write-ahead log into the file, as far as no reader needs the older ones, and syncs both.
    ///
    /// - Returns: whether nothing of the log is left to copy, so that the next commit may begin it anew.
    func checkpoint(truncating: Bool = false) throws(SQLiteError) -> Bool {
        var (inLog, copied): (Int32, Int32) = (0, 0)
        let mode = truncating ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE
        // Safe: the handle is open, and SQLite fills the local variables.
        let code = unsafe sqlite3_wal_checkpoint_v2(handle, nil, mode, &inLog, &copied)
        guard code == SQLITE_OK || code == SQLITE_BUSY else { throw unsafe Self.error(handle, code) }
        return inLog == copied
    }

    /// How many pages this connection has written to the write-ahead log since the last call.
    func takePagesWritten() -> Int {
        // Safe: the handle is open.
        Int(unsafe csqlite_take_pages_written(handle))
    }

    /// How many pages the write-ahead log may hold by its file's size, once something was read.
    func pagesInLog() -> Int {
        // Safe: the handle is open.
        Int(unsafe csqlite_pages_in_log(handle))
    }

    /// Whether a transaction is open, so that it can be rolled back.
    var isInTransaction: Bool {
        // Safe: the handle is open.
        unsafe sqlite3_get_autocommit(handle) == 0
    }

    fileprivate static func error(_ handle: OpaquePointer, _ code: Int32) -> SQLiteError {
        // Safe: SQLite gives a null-terminated text that is valid until the next call on the handle; it is copied here.
        SQLiteError(code: code, message: unsafe String(cString: unsafe sqlite3_errmsg(handle)))
    }
}
