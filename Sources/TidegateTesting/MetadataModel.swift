package import Metadata

/// An index so simple that it is plainly right: what a real one is compared with.
package struct MetadataModel: Sendable {
    package private(set) var entries: [Key: Entry] = [:]

    package init() {}

    /// The entries in the order of their keys.
    package var sorted: [Entry] {
        entries.values.sorted { $0.key.lexicographicallyPrecedes($1.key) }
    }

    /// Whether a condition holds.
    package func holds(_ condition: Condition) -> Bool {
        switch condition {
        case .absent(let key): entries[key] == nil
        case .present(let key): entries[key] != nil
        case .version(let key, let version): entries[key].map { $0.version == version } ?? false
        case .absentOrEmpty(let key): entries[key].map { $0.value == [] } ?? true
        case .rangeEmpty(let range): !entries.keys.contains { range.contains(KeyBound($0)) }
        }
    }

    /// What a commit must throw, or nil where it must succeed.
    package func refusal(of transaction: Transaction) -> MetadataError? {
        if let position = transaction.conditions.firstIndex(where: { !holds($0) }) {
            return .conflict(condition: position)
        }
        var copy = self
        return copy.apply(transaction.mutations, version: 0) ? nil : .notCommitted("")
    }

    /// Applies mutations; false where one of them is to add to what is no counter.
    package mutating func apply(_ mutations: [Mutation], version: CommitVersion) -> Bool {
        for mutation in mutations {
            switch mutation {
            case .put(let key, let value): entries[key] = Entry(key: key, value: value, version: version)
            case .create(let key, let value):
                if entries[key] == nil { entries[key] = Entry(key: key, value: value, version: version) }
            case .remove(let key): entries[key] = nil
            case .add(let key, let difference):
                guard let count = entries[key].map({ Counter.decode($0.value) }) ?? 0 else { return false }
                entries[key] = Entry(key: key, value: Counter.encode(count + difference), version: version)
            }
        }
        return true
    }

    /// Applies a change that an index gave.
    package mutating func replay(_ change: Change) throws(LawViolation) {
        guard apply(change.mutations, version: change.version) else {
            throw LawViolation("the change \(change.version) cannot be replayed")
        }
    }

    /// The page of a scan, found by looking at every entry.
    package func page(_ scan: Scan) -> Page {
        var entries = sorted.filter { scan.range.contains(KeyBound($0.key)) }
        if scan.reversed { entries.reverse() }
        if !scan.wantsValues { entries = entries.map { Entry(key: $0.key, value: [], version: $0.version) } }
        // Every row of the whole range, with the first key that it stands for.
        var rows: [(row: Page.Row, key: Key)] = []
        for entry in entries {
            if let grouping = scan.grouping, !grouping.delimiter.isEmpty, let group = Self.group(entry.key, grouping) {
                if rows.last?.row != .group(group) { rows.append((.group(group), entry.key)) }
            } else {
                rows.append((.entry(entry), entry.key))
            }
        }
        let limit = max(0, scan.limit)
        guard rows.count > limit else { return Page(rows: rows.map(\.row), next: nil) }
        let next = scan.reversed ? (limit > 0 ? rows[limit - 1].key : scan.range.upperBound.key) : rows[limit].key
        return Page(rows: rows.prefix(limit).map(\.row), next: next)
    }

    private static func group(_ key: Key, _ grouping: Scan.Grouping) -> Key? {
        let length = grouping.delimiter.count
        var key = key
        if let end = key.indices.first(where: {
            $0 >= grouping.prefixLength && !grouping.terminator.isEmpty && key[$0...].starts(with: grouping.terminator)
        }) {
            key = Array(key[..<end])
        }
        guard key.count >= grouping.prefixLength + length else { return nil }
        for start in grouping.prefixLength...(key.count - length)
        where Array(key[start..<start + length]) == grouping.delimiter {
            return Array(key[..<(start + length)])
        }
        return nil
    }
}
