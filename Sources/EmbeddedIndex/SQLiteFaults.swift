import CSQLite

/// For tests: a file system that fails on purpose. There is one in a process, so tests that use it run one after the
/// other.
enum SQLiteFaults {
    /// What the disk does.
    enum Fault: CaseIterable {
        case ioError, full

        fileprivate var code: Int32 { self == .full ? SQLITE_FULL : SQLITE_IOERR }
    }

    /// The name of the file system, for `EmbeddedIndex.Options`.
    static func register() throws(SQLiteError) -> String {
        let code = csqlite_faults_register()
        guard code == SQLITE_OK else { throw SQLiteError(code: code, message: "the faulty file system") }
        return "faulty"
    }

    /// Lets the call with this number from now (a write, a truncation or a sync, from 1) fail: it alone, or every one
    /// from it on.
    static func fail(call: Int32, _ fault: Fault, persists: Bool) {
        csqlite_faults_set(call, fault.code, persists ? 1 : 0)
    }

    /// Lets nothing fail.
    static func stop() {
        csqlite_faults_set(0, 0, 0)
    }
}
