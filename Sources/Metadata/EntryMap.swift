/// Entries in the order of their keys, in leaves of bounded size: a value, so a copy of it is a snapshot.
struct EntryMap: Sendable {
    private static let leafCapacity = 128
    /// No leaf is empty; every key of a leaf is below those of the next.
    private var leaves: [[Entry]] = []
    private(set) var count = 0

    /// Where an entry stands.
    struct Position: Hashable {
        var leaf: Int
        var index: Int
    }

    /// The entry under a key.
    subscript(key: Key) -> Entry? {
        let position = lowerBound(key)
        guard let entry = self[position], entry.key == key else { return nil }
        return entry
    }

    /// The entry at a position, nil at the end.
    subscript(position: Position) -> Entry? {
        position.leaf < leaves.count ? leaves[position.leaf][position.index] : nil
    }

    /// The first position whose key is not below the given one: the end where there is none.
    func lowerBound(_ key: Key) -> Position {
        let leaf = Self.partition(leaves.count) { leaf in
            leaves[leaf].last.map { $0.key.lexicographicallyPrecedes(key) } ?? false
        }
        guard leaf < leaves.count else { return Position(leaf: leaf, index: 0) }
        let index = Self.partition(leaves[leaf].count) { leaves[leaf][$0].key.lexicographicallyPrecedes(key) }
        return Position(leaf: leaf, index: index)
    }

    /// The position after one that is not the end.
    func position(after position: Position) -> Position {
        position.index + 1 < leaves[position.leaf].count
            ? Position(leaf: position.leaf, index: position.index + 1) : Position(leaf: position.leaf + 1, index: 0)
    }

    /// The position before one, nil at the start.
    func position(before position: Position) -> Position? {
        if position.index > 0 { return Position(leaf: position.leaf, index: position.index - 1) }
        guard position.leaf > 0 else { return nil }
        return Position(leaf: position.leaf - 1, index: leaves[position.leaf - 1].count - 1)
    }

    /// Adds an entry, or replaces the one under its key.
    mutating func insert(_ entry: Entry) {
        var position = lowerBound(entry.key)
        if self[position]?.key == entry.key {
            leaves[position.leaf][position.index] = entry
            return
        }
        count += 1
        if leaves.isEmpty {
            leaves.append([entry])
            return
        }
        if position.leaf == leaves.count {
            position = Position(leaf: leaves.count - 1, index: leaves[leaves.count - 1].count)
        }
        leaves[position.leaf].insert(entry, at: position.index)
        if leaves[position.leaf].count > Self.leafCapacity {
            let upper = Array(leaves[position.leaf][(Self.leafCapacity / 2)...])
            leaves[position.leaf].removeLast(upper.count)
            leaves.insert(upper, at: position.leaf + 1)
        }
    }

    /// Removes the entry under a key, where there is one.
    mutating func remove(_ key: Key) {
        let position = lowerBound(key)
        guard self[position]?.key == key else { return }
        count -= 1
        leaves[position.leaf].remove(at: position.index)
        if leaves[position.leaf].isEmpty { leaves.remove(at: position.leaf) }
    }

    /// The number of leading indices for which a monotone predicate holds.
    private static func partition(_ count: Int, where isBefore: (Int) -> Bool) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if isBefore(middle) { low = middle + 1 } else { high = middle }
        }
        return low
    }
}

extension EntryMap {
    /// Whether a range holds no entry.
    func isEmpty(in range: Range<KeyBound>) -> Bool {
        guard let entry = self[lowerBound(range.lowerBound.key)] else { return true }
        return KeyBound(entry.key) >= range.upperBound
    }

    /// One page.
    func page(_ scan: Scan) -> Page {
        scan.reversed ? backward(scan) : forward(scan)
    }

    private func forward(_ scan: Scan) -> Page {
        var page = Page(rows: [], next: nil)
        var bytes = 0
        var position = lowerBound(scan.range.lowerBound.key)
        while let entry = self[position], KeyBound(entry.key) < scan.range.upperBound {
            guard page.rows.count < scan.pageRows, bytes < MetadataLimits.pageBytes else {
                page.next = entry.key
                break
            }
            if let group = scan.effectiveGrouping?.group(of: entry.key) {
                page.rows.append(.group(group))
                bytes += group.count
                position = lowerBound(successor(ofPrefix: group))
            } else {
                let value = scan.wantsValues ? entry.value : []
                page.rows.append(.entry(Entry(key: entry.key, value: value, version: entry.version)))
                bytes += entry.key.count + value.count
                position = self.position(after: position)
            }
        }
        return page
    }

    private func backward(_ scan: Scan) -> Page {
        var page = Page(rows: [], next: nil)
        var bytes = 0
        var bound = scan.range.upperBound.key
        var position = lowerBound(bound)
        while let before = self.position(before: position), let entry = self[before],
            KeyBound(entry.key) >= scan.range.lowerBound
        {
            guard page.rows.count < scan.pageRows, bytes < MetadataLimits.pageBytes else {
                page.next = bound
                break
            }
            let value = scan.wantsValues ? entry.value : []
            page.rows.append(.entry(Entry(key: entry.key, value: value, version: entry.version)))
            bytes += entry.key.count + value.count
            bound = entry.key
            position = before
        }
        return page
    }
}
