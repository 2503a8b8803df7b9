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

    /// Where a copy of a blob lies.
    struct Location {
        let segment: Segment
        let entry: Entry
    }

    /// Names that writers draw in a row, as one directory of files holds them (`FileLayout`). Few segments hold blobs
    /// of one stretch, so that it says where to look.
    private struct Stretch: Hashable {
        let high: UInt64
        let counter: UInt64

        init(_ name: PackedName) {
            (high, counter) = (name.high, name.counter >> 12)
        }
    }

    private let segmentBytes: Int64
    private var tables: [UInt64: Table] = [:]
    /// The segments with blobs of each stretch, in order of their numbers.
    private var stretches: [Stretch: [UInt64]] = [:]
    /// The segments whose blobs would fill less than half of a new one.
    private var sparse: Set<UInt64> = []

    /// - Parameter segmentBytes: Size of a new segment.
    init(segmentBytes: Int64) {
        self.segmentBytes = segmentBytes
    }

    /// The segment with the highest number.
    var newest: UInt64? { tables.keys.max() }

    mutating func add(_ table: Table) {
        let number = table.segment.number
        tables[number] = table
        var last: Stretch?
        for entry in table.entries where Stretch(entry.name) != last {
            note(entry.name, in: number)
            last = Stretch(entry.name)
        }
        sort(number)
    }

    /// Forgets a segment, and returns what it held.
    @discardableResult
    mutating func remove(_ number: UInt64) -> Table? {
        guard let table = tables.removeValue(forKey: number) else { return nil }
        sparse.remove(number)
        var last: Stretch?
        for entry in table.entries where Stretch(entry.name) != last {
            forget(entry.name, in: number)
            last = Stretch(entry.name)
        }
        return table
    }

    /// Where a blob lies, the newest copy first: more than one only while a segment is being emptied.
    func locations(of name: PackedName) -> [Location] {
        (stretches[Stretch(name)] ?? []).reversed().compactMap { number in
            guard let table = tables[number], let entry = table.entry(of: name) else { return nil }
            return Location(segment: table.segment, entry: entry)
        }
    }

    /// Where the newest copy of a blob lies.
    func location(of name: PackedName) -> Location? {
        for number in (stretches[Stretch(name)] ?? []).reversed() {
            if let table = tables[number], let entry = table.entry(of: name) {
                return Location(segment: table.segment, entry: entry)
            }
        }
        return nil
    }

    mutating func insert(_ entry: Entry, in number: UInt64) {
        guard tables[number] != nil else { return }
        tables[number]?.insert(entry)
        note(entry.name, in: number)
        sort(number)
    }

    mutating func remove(_ name: PackedName, from number: UInt64) {
        guard let table = tables[number], let position = table.exactPosition(of: name) else { return }
        let neighbours = [position - 1, position + 1].filter(table.entries.indices.contains)
        let isLast = !neighbours.contains { Stretch(table.entries[$0].name) == Stretch(name) }
        tables[number]?.remove(at: position)
        if isLast { forget(name, in: number) }
        sort(number)
    }

    /// A blob of the segment is damaged, or the segment cannot be deleted: it is not emptied until a blob of it is.
    mutating func pin(_ number: UInt64) {
        tables[number]?.isPinned = true
    }

    /// Nothing more is written to the segment.
    mutating func seal(_ number: UInt64) {
        tables[number]?.trim()
    }

    /// The segments, but some, that hold nothing any more.
    func empty(except kept: Set<UInt64>) -> [UInt64] {
        sparse.filter { !kept.contains($0) && tables[$0]?.entries.isEmpty ?? false }
    }

    /// Whether every blob of a segment lies in a newer one too.
    func isSuperseded(_ number: UInt64) -> Bool {
        tables[number]?.entries.allSatisfy { location(of: $0.name)?.segment.number != number } ?? false
    }

    /// The segment, but `active`, with the least live bytes among those whose blobs would fill less than half of a new
    /// segment, by their bytes and by their number.
    func sparsest(except active: UInt64?) -> Table? {
        sparse.lazy.filter { $0 != active }.compactMap { tables[$0] }.filter { !$0.isPinned }
            .min { $0.liveBytes < $1.liveBytes }
    }

    // MARK: What follows from the tables

    private mutating func note(_ name: PackedName, in number: UInt64) {
        var numbers = stretches[Stretch(name)] ?? []
        guard !numbers.contains(number) else { return }
        numbers.insert(number, at: numbers.firstIndex { $0 > number } ?? numbers.count)
        stretches[Stretch(name)] = numbers
    }

    private mutating func forget(_ name: PackedName, in number: UInt64) {
        let left = stretches[Stretch(name)]?.filter { $0 != number } ?? []
        stretches[Stretch(name)] = left.isEmpty ? nil : left
    }

    private mutating func sort(_ number: UInt64) {
        guard let table = tables[number] else { return }
        let isSparse =
            table.liveBytes < segmentBytes * 15 / 32
            && Int64(table.entries.count) < SegmentFormat.slots(of: segmentBytes) / 2
        if isSparse { sparse.insert(number) } else { sparse.remove(number) }
    }
}

extension SegmentIndex {
    /// Up to `limit` blobs after a name, in order.
    func page(after: PackedName?, limit: Int) -> [(name: PackedName, length: Int64)] {
        var starts: [(first: PackedName, number: UInt64, position: Int)] = []
        for (number, table) in tables {
            let position = after.map(table.position(after:)) ?? 0
            if position < table.entries.count { starts.append((table.entries[position].name, number, position)) }
        }
        starts.sort { $0.first < $1.first }
        var page: [(name: PackedName, length: Int64)] = []
        /// The last name of a full page of what was looked at so far: nothing beyond it is wanted.
        var end: PackedName?
        for start in starts {
            if let end, end < start.first { break }
            for entry in tables[start.number]?.entries[start.position...].prefix(limit) ?? [] {
                if let end, end < entry.name { break }
                page.append((entry.name, Int64(entry.length)))
            }
            if page.count >= (end == nil ? limit : limit * 2) { end = Self.cut(&page, to: limit) ?? end }
        }
        _ = Self.cut(&page, to: limit)
        return page
    }

    /// Sorts a page and takes away what is there twice or too much; returns its last name where it is full.
    private static func cut(_ page: inout [(name: PackedName, length: Int64)], to limit: Int) -> PackedName? {
        page.sort { $0.name < $1.name }
        var previous: PackedName?
        page.removeAll { blob in
            defer { previous = blob.name }
            return blob.name == previous
        }
        page.removeLast(max(0, page.count - limit))
        return page.count == limit ? page.last?.name : nil
    }
}
