import CSQLite
import Metadata

/// The tables of the file, and the settings of its connections. The page EmbeddedIndex of Decisions has the figures
/// behind them.
enum IndexSchema {
    /// The version of the format, kept in `user_version`.
    static let formatVersion: Int64 = 1
    /// Says in the file's header whose it is ("Tide").
    private static let applicationID: Int64 = 0x5469_6465

    private static let tables = """
        CREATE TABLE entry(key BLOB PRIMARY KEY, version INTEGER NOT NULL, value BLOB NOT NULL) WITHOUT ROWID;
        CREATE TABLE log(version INTEGER PRIMARY KEY, epoch INTEGER, counter INTEGER, mutations BLOB NOT NULL);
        CREATE TABLE forgotten(epoch INTEGER PRIMARY KEY, counter INTEGER NOT NULL);
        CREATE TABLE setting(name TEXT PRIMARY KEY, value NOT NULL) WITHOUT ROWID;
        """

    /// Sets the writer's connection up, and creates the tables in a new file.
    ///
    /// - Throws: SQLite's errors, and `malformed` where the file is another program's or of a later format.
    static func prepareWriter(_ connection: borrowing SQLiteConnection, cacheKiB: Int) throws(SQLiteError) {
        // The page size has to be set before the file has a page.
        try connection.execute("PRAGMA page_size = 8192; PRAGMA auto_vacuum = NONE")
        guard try connection.bytes("PRAGMA journal_mode = WAL") == Array("wal".utf8) else {
            throw SQLiteError(code: SQLITE_CANTOPEN, message: "the file system does not support a write-ahead log")
        }
        try connection.execute(
            "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; "
                + "PRAGMA cache_size = -\(cacheKiB)")
        let version = try connection.number("PRAGMA user_version") ?? 0
        let isEmpty = try connection.number("SELECT count(*) FROM sqlite_schema") == 0
        if version == 0, isEmpty {
            try connection.execute(
                "BEGIN IMMEDIATE; \(tables) PRAGMA application_id = \(applicationID); "
                    + "PRAGMA user_version = \(formatVersion); COMMIT")
        }
        try check(connection)
    }

    /// - Throws: SQLite's errors, and `malformed` where the file is another program's or of another format.
    static func check(_ connection: borrowing SQLiteConnection) throws(SQLiteError) {
        let version = try connection.number("PRAGMA user_version") ?? 0
        guard version == formatVersion else {
            throw .malformed("the format version \(version) of the index (this program knows \(formatVersion))")
        }
        guard try connection.number("PRAGMA application_id") == applicationID else {
            throw .malformed("the application id of the index")
        }
    }

    /// Sets a reader's connection up. It never checkpoints.
    static func prepareReader(_ connection: borrowing SQLiteConnection, cacheKiB: Int) throws(SQLiteError) {
        try connection.execute(
            "PRAGMA query_only = ON; PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY; "
                + "PRAGMA cache_size = -\(cacheKiB)")
    }

    /// The last commit that the connection sees.
    static func lastVersion(_ connection: borrowing SQLiteConnection) throws(SQLiteError) -> CommitVersion {
        let logged = try connection.number("SELECT max(version) FROM log")
        let restored = try connection.number("SELECT value FROM setting WHERE name = 'oldest_cursor'")
        return CommitVersion(bitPattern: logged ?? restored ?? 0)
    }
}
