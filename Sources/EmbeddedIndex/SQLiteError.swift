import CSQLite

/// What SQLite answered instead of success.
struct SQLiteError: Error, CustomStringConvertible {
    /// The extended result code.
    let code: Int32
    let message: String

    var primaryCode: Int32 { code & 0xFF }

    /// Whether there was no room, so that a group was not written but nothing is damaged.
    var isFull: Bool { primaryCode == SQLITE_FULL }

    /// Whether the file cannot be trusted any more: a read, a write or a sync failed, or what was read makes no sense.
    var makesSuspect: Bool {
        [SQLITE_IOERR, SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_CANTOPEN, SQLITE_READONLY].contains(primaryCode)
    }

    /// What was read is not what this program writes.
    static func malformed(_ what: String) -> SQLiteError {
        SQLiteError(code: SQLITE_CORRUPT, message: "\(what) is malformed")
    }

    var description: String { "SQLite result \(code): \(message)" }
}
