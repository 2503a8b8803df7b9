import CSQLite

/// A compiled statement, for the thread of its connection.
///
/// It is safe to use: the pointers are valid until `deinit`, as SQLite keeps a closed connection alive for its
/// statements, and what a column's pointer shows is copied or borrowed before the statement moves on.
@safe struct SQLiteStatement: ~Copyable {
    private let handle: OpaquePointer
    private let connection: OpaquePointer

    init(_ handle: OpaquePointer, of connection: OpaquePointer) {
        unsafe self.handle = unsafe handle
        unsafe self.connection = unsafe connection
    }

    deinit {
        // Safe: the handle is open and nobody else finalizes it. The code repeats an error that `step` has thrown.
        _ = unsafe sqlite3_finalize(handle)
    }

    /// Binds bytes to the parameter with this number, from 1.
    func bind(_ index: Int32, _ bytes: [UInt8]) throws(SQLiteError) {
        // Safe: the bytes are valid during the call, and SQLite copies them.
        try check(unsafe bytes.withUnsafeBytes { unsafe csqlite_bind_blob(handle, index, $0.baseAddress, $0.count) })
    }

    /// Binds a text to the parameter with this number, from 1.
    func bind(_ index: Int32, _ text: String) throws(SQLiteError) {
        // Safe: the text is valid during the call, and SQLite copies it.
        var text = text
        try check(text.withUTF8 { unsafe csqlite_bind_text(handle, index, $0.baseAddress, $0.count) })
    }

    /// Binds a number to the parameter with this number, from 1.
    func bind(_ index: Int32, _ number: Int64) throws(SQLiteError) {
        // Safe: the handle is open.
        try check(unsafe sqlite3_bind_int64(handle, index, number))
    }

    /// Goes to the next row: false where there is none.
    func step() throws(SQLiteError) -> Bool {
        // Safe: the handle is open.
        switch unsafe sqlite3_step(handle) {
        case SQLITE_ROW: return true
        case SQLITE_DONE: return false
        case let code: throw error(code)
        }
    }

    /// Runs a statement that gives no row, and makes it ready for the next run.
    func run() throws(SQLiteError) {
        defer { reset() }
        _ = try step()
    }

    /// Makes the statement ready for the next run, and lets go of its row.
    func reset() {
        // Safe: the handle is open. The code repeats an error that `step` has thrown.
        _ = unsafe sqlite3_reset(handle)
    }

    /// How many steps of SQLite's program the statement took since the last call: what a query costs, whatever the
    /// machine.
    func takeSteps() -> Int {
        // Safe: the handle is open.
        Int(unsafe sqlite3_stmt_status(handle, SQLITE_STMTSTATUS_VM_STEP, 1))
    }

    /// Whether a column of the row is NULL.
    func isNull(_ column: Int32) -> Bool {
        // Safe: the handle is open; a column that is not there counts as NULL.
        unsafe sqlite3_column_type(handle, column) == SQLITE_NULL
    }

    /// A number of the row.
    func number(_ column: Int32) -> Int64 {
        // Safe: the handle is open; a column that is not there gives 0.
        unsafe sqlite3_column_int64(handle, column)
    }

    /// A copy of the bytes of a column of the row.
    func bytes(_ column: Int32) -> [UInt8] {
        withBytes(column) { bytes in
            // Safe: the span's memory is valid here, and the array copies it.
            unsafe bytes.withUnsafeBytes { unsafe [UInt8]($0) }
        }
    }

    /// Borrows the bytes of a column of the row.
    func withBytes<Result>(_ column: Int32, _ body: (Span<UInt8>) -> Result) -> Result {
        // Safe: SQLite gives as many bytes as it says, valid until the statement moves on, which the body cannot make
        // it do.
        let start = unsafe sqlite3_column_blob(handle, column)
        let count = Int(unsafe sqlite3_column_bytes(handle, column))
        let buffer = unsafe UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count)
        return body(unsafe Span(_unsafeBytes: buffer))
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw error(code) }
    }

    private func error(_ code: Int32) -> SQLiteError {
        // Safe: SQLite gives a null-terminated text that is valid until the next call on the connection; it is copied
        // here.
        SQLiteError(code: code, message: unsafe String(cString: unsafe sqlite3_errmsg(connection)))
    }
}
