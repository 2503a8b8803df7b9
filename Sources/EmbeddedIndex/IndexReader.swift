import Metadata

/// The queries on entries, of one connection.
struct IndexReader: ~Copyable {
    private let get: SQLiteStatement
    private let first: SQLiteStatement
    private let forward: SQLiteStatement
    private let backward: SQLiteStatement
    private let log: SQLiteStatement

    init(_ connection: borrowing SQLiteConnection) throws(SQLiteError) {
        // All are made before any is kept: a noncopyable value cannot be left half made.
        let get = try connection.prepare("SELECT version, value FROM entry WHERE key = ?1")
        let first = try connection.prepare("SELECT 1 FROM entry WHERE key >= ?1 AND key < ?2 LIMIT 1")
        let forward = try connection.prepare(
            "SELECT key, version, value FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key")
        let backward = try connection.prepare(
            "SELECT key, version, value FROM entry WHERE key >= ?1 AND key < ?2 ORDER BY key DESC")
        let log = try connection.prepare(
            "SELECT version, mutations FROM log WHERE version > ?1 ORDER BY version LIMIT ?2")
        self.get = get
        self.first = first
        self.forward = forward
        self.backward = backward
        self.log = log
    }

    /// The entry under a key.
    func entry(_ key: Key) throws(SQLiteError) -> Entry? {
        defer { get.reset() }
        try get.bind(1, key)
        guard try get.step() else { return nil }
        return Entry(key: key, value: get.bytes(1), version: CommitVersion(bitPattern: get.number(0)))
    }

    /// Whether a range holds no entry.
    func isEmpty(_ range: Range<KeyBound>) throws(SQLiteError) -> Bool {
        defer { first.reset() }
        try first.bind(1, range.lowerBound.key)
        try first.bind(2, range.upperBound.key)
        return try !first.step()
    }

    /// One page.
    func page(_ scan: Scan) throws(SQLiteError) -> Page {
        scan.reversed ? try page(scan, by: backward) : try page(scan, by: forward)
    }

    /// What forward scans cost since the last call, in steps of SQLite's program.
    func takeScanSteps() -> Int { forward.takeSteps() }

    /// After so many members of one group it is cheaper to seek past the rest than to step over them one by one.
    private static let stepsBeforeSeek = 4

    private func page(_ scan: Scan, by statement: borrowing SQLiteStatement) throws(SQLiteError) -> Page {
        defer { statement.reset() }
        try statement.bind(1, scan.range.lowerBound.key)
        try statement.bind(2, scan.range.upperBound.key)
        let grouping = scan.effectiveGrouping
        var page = Page(rows: [], next: nil)
        var bytes = 0
        var (group, steps): (Key?, Int) = (nil, 0)
        while try statement.step() {
            if let current = group, statement.withBytes(0, { Self.hasPrefix($0, current) }) {
                steps += 1
                if steps == Self.stepsBeforeSeek {
                    statement.reset()
                    try statement.bind(1, successor(ofPrefix: current))
                }
                continue
            }
            guard page.rows.count < scan.pageRows, bytes < MetadataLimits.pageBytes else {
                page.next = scan.reversed ? Self.lastKey(page) ?? scan.range.upperBound.key : statement.bytes(0)
                break
            }
            if let length = grouping.flatMap({ grouping in statement.withBytes(0) { grouping.groupLength(of: $0) } }) {
                let rolledUp = Key(statement.bytes(0).prefix(length))
                page.rows.append(.group(rolledUp))
                (group, steps) = (rolledUp, 0)
                bytes += length
            } else {
                let entry = Self.entry(statement, wantsValue: scan.wantsValues)
                page.rows.append(.entry(entry))
                bytes += entry.key.count + entry.value.count
            }
        }
        return page
    }

    /// Changes of commits after one, up to `limit` or some megabytes of them.
    func changes(after: CommitVersion, limit: Int) throws(SQLiteError) -> [Change] {
        defer { log.reset() }
        try log.bind(1, Int64(bitPattern: after))
        try log.bind(2, Int64(max(0, min(limit, MetadataLimits.pageRows))))
        var changes: [Change] = []
        var bytes = 0
        while bytes < MetadataLimits.pageBytes, try log.step() {
            let encoded = log.bytes(1)
            guard let mutations = MutationCoding.decode(encoded) else {
                throw .malformed("the log's row \(log.number(0))")
            }
            changes.append(Change(version: CommitVersion(bitPattern: log.number(0)), mutations: mutations))
            bytes += encoded.count
        }
        return changes
    }

    private static func entry(_ row: borrowing SQLiteStatement, wantsValue: Bool) -> Entry {
        Entry(
            key: row.bytes(0), value: wantsValue ? row.bytes(2) : [],
            version: CommitVersion(bitPattern: row.number(1)))
    }

    private static func lastKey(_ page: Page) -> Key? {
        if case .entry(let entry) = page.rows.last { entry.key } else { nil }
    }

    private static func hasPrefix(_ key: Span<UInt8>, _ prefix: Key) -> Bool {
        guard key.count >= prefix.count else { return false }
        for index in prefix.indices where key[index] != prefix[index] { return false }
        return true
    }
}
