extension SegmentIndex {
    /// A segment's live blobs, in order of their names.
    struct Table {
        let segment: Segment
        private(set) var entries: [Entry]
        /// Bytes of the live blobs.
        private(set) var liveBytes: Int64
        /// It is not emptied, as long as no blob of it is deleted.
        var isPinned = false

        /// - Parameter entries: In order of their names, each name once.
        init(segment: Segment, entries: [Entry] = []) {
            (self.segment, self.entries) = (segment, entries)
            liveBytes = entries.reduce(0) { $0 + Int64($1.length) }
        }

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

        /// The first entry after `name`.
        func position(after name: PackedName) -> Int {
            let position = position(of: name)
            return position < entries.count && entries[position].name == name ? position + 1 : position
        }

        /// Where the entry of `name` is; nil where there is none.
        func exactPosition(of name: PackedName) -> Int? {
            let position = position(of: name)
            return position < entries.count && entries[position].name == name ? position : nil
        }

        func entry(of name: PackedName) -> Entry? {
            exactPosition(of: name).map { entries[$0] }
        }

        mutating func insert(_ entry: Entry) {
            entries.insert(entry, at: position(of: entry.name))
            liveBytes += Int64(entry.length)
        }

        mutating func remove(at position: Int) {
            liveBytes -= Int64(entries.remove(at: position).length)
            isPinned = false
        }

        mutating func remove(_ name: PackedName) {
            if let position = exactPosition(of: name) { remove(at: position) }
        }

        /// Gives back the memory that was kept for more entries.
        mutating func trim() {
            var trimmed: [Entry] = []
            trimmed.reserveCapacity(entries.count)
            trimmed += entries
            entries = trimmed
        }
    }
}
