import Primitives
import Storage

/// Which small blobs the segments of a store hold, and where. A value: what it decides, others do.
struct SegmentIndex {
    /// A live blob of a segment: 40 bytes a blob in memory.
    struct Entry: Equatable {
        let name: PackedName
        let slot: UInt32
        let offset: UInt32
        let length: UInt32
        let checksum: UInt32
    }

    /// A segment's live blobs, in order of their names.
    struct Table {
        let segment: Segment
        var entries: [Entry] = []
        /// Bytes of the live blobs.
        var liveBytes: Int64 = 0
        /// A blob of it is damaged: it is not rewritten, so that the damage shows until the blob is deleted.
        var isPinned = false

        /// The first entry that is not before `name`.
        func position(of name: PackedName) -> Int {
            // Writers draw names in order, so that a new one is mostly the last.
            guard let first = entries.first, let last = entries.last, !(last.name < name) else { return entries.count }
            guard first.name < name else { return 0 }
            var (low, high) = (0, entries.count)
            while low < high {
                let middle = (low + high) / 2
                if entries[middle].name < name { low = middle + 1 } else { high = middle }
            }
            return low
        }

        func entry(of name: PackedName) -> Entry? {
            let position = position(of: name)
            guard position < entries.count, entries[position].name == name else { return nil }
            return entries[position]
        }
    }

    /// Where a copy of a blob lies.
    struct Location {
        let segment: Segment
        let entry: Entry
    }

    /// In order of their numbers; the one that is written to is among them.
    private(set) var tables: [Table] = []

    mutating func add(_ table: Table) {
        let position = tables.firstIndex { $0.segment.number > table.segment.number } ?? tables.count
        tables.insert(table, at: position)
    }

    mutating func remove(_ segment: UInt64) {
        tables.removeAll { $0.segment.number == segment }
    }

    /// Where a blob lies, the newest copy first: more than one only while a segment is being emptied, or after a crash
    /// then.
    func locations(of name: PackedName) -> [Location] {
        tables.reversed().compactMap { table in
            table.entry(of: name).map { Location(segment: table.segment, entry: $0) }
        }
    }

    /// Where the newest copy of a blob lies.
    func location(of name: PackedName) -> Location? {
        for table in tables.reversed() {
            if let entry = table.entry(of: name) { return Location(segment: table.segment, entry: entry) }
        }
        return nil
    }

    mutating func insert(_ entry: Entry, in segment: UInt64) {
        guard let index = tables.firstIndex(where: { $0.segment.number == segment }) else { return }
        tables[index].entries.insert(entry, at: tables[index].position(of: entry.name))
        tables[index].liveBytes += Int64(entry.length)
    }

    mutating func remove(_ name: PackedName, from segment: UInt64) {
        guard let index = tables.firstIndex(where: { $0.segment.number == segment }) else { return }
        let position = tables[index].position(of: name)
        guard position < tables[index].entries.count, tables[index].entries[position].name == name else { return }
        tables[index].liveBytes -= Int64(tables[index].entries.remove(at: position).length)
        tables[index].isPinned = false
    }

    mutating func pin(_ segment: UInt64) {
        guard let index = tables.firstIndex(where: { $0.segment.number == segment }) else { return }
        tables[index].isPinned = true
    }

    /// The segments, but some, that hold nothing any more.
    func empty(except kept: Set<UInt64>) -> [Segment] {
        tables.filter { $0.entries.isEmpty && !kept.contains($0.segment.number) }.map(\.segment)
    }

    /// Whether every blob of a segment lies in a newer one too.
    func isSuperseded(_ segment: UInt64) -> Bool {
        guard let table = tables.first(where: { $0.segment.number == segment }) else { return false }
        return table.entries.allSatisfy { location(of: $0.name)?.segment.number != segment }
    }

    /// The segment, but `active`, with the least live bytes among those whose blobs would fill less than half of a new
    /// segment, by their bytes and by their number.
    func sparsest(except active: UInt64?, segmentBytes: Int64) -> Table? {
        let candidates = tables.lazy.filter { table in
            table.segment.number != active && !table.isPinned && table.liveBytes < segmentBytes * 15 / 32
                && Int64(table.entries.count) < SegmentFormat.slots(of: segmentBytes) / 2
        }
        return candidates.min { $0.liveBytes < $1.liveBytes }
    }

    /// Up to `limit` blobs after a name, in order.
    func page(after: PackedName?, limit: Int) -> [(name: PackedName, length: Int64)] {
        var starts: [(first: PackedName, table: Int, position: Int)] = []
        for (index, table) in tables.enumerated() {
            var position = after.map(table.position(of:)) ?? 0
            if position < table.entries.count, table.entries[position].name == after { position += 1 }
            if position < table.entries.count { starts.append((table.entries[position].name, index, position)) }
        }
        var page: [(name: PackedName, length: Int64)] = []
        for start in starts.sorted(by: { $0.first < $1.first }) {
            // Segments mostly hold one stretch of names each, so that few of them are looked into.
            if page.count == limit, let last = page.last, last.name < start.first { break }
            page += tables[start.table].entries[start.position...].prefix(limit).map { ($0.name, Int64($0.length)) }
            page.sort { $0.name < $1.name }
            var previous: PackedName?
            page.removeAll { blob in
                defer { previous = blob.name }
                return blob.name == previous
            }
            page.removeLast(max(0, page.count - limit))
        }
        return page
    }
}
