extension Scan {
    /// The grouping, where it groups anything: an empty delimiter does not.
    package var effectiveGrouping: Grouping? {
        grouping.flatMap { $0.delimiter.isEmpty ? nil : $0 }
    }

    /// The rows that a page may have, within the limits of the index.
    package var pageRows: Int { max(0, min(limit, MetadataLimits.pageRows)) }

    /// Whether the scan is one that an index can do.
    ///
    /// - Throws: `notCommitted` where it is reversed and groups.
    package func check() throws(MetadataError) {
        guard !reversed || effectiveGrouping == nil else {
            throw .notCommitted("a reversed scan cannot roll keys up")
        }
    }
}

extension Scan.Grouping {
    /// How many of the key's first bytes name the group that the key is rolled up to; nil where it is in none.
    package func groupLength(of key: Span<UInt8>) -> Int? {
        guard let first = delimiter.first, key.count > prefixLength else { return nil }
        let end = terminator.isEmpty ? key.count : Self.find(terminator, in: key, from: prefixLength) ?? key.count
        var start = max(0, prefixLength)
        while start + delimiter.count <= end {
            if key[start] == first, Self.matches(delimiter, key, at: start) { return start + delimiter.count }
            start += 1
        }
        return nil
    }

    private static func find(_ bytes: [UInt8], in key: Span<UInt8>, from start: Int) -> Int? {
        var start = max(0, start)
        while start + bytes.count <= key.count {
            if matches(bytes, key, at: start) { return start }
            start += 1
        }
        return nil
    }

    private static func matches(_ bytes: [UInt8], _ key: Span<UInt8>, at start: Int) -> Bool {
        for offset in bytes.indices where key[start + offset] != bytes[offset] { return false }
        return true
    }

    /// The group that the key is rolled up to, or nil.
    package func group(of key: Key) -> Key? {
        groupLength(of: key.span).map { Key(key.prefix($0)) }
    }
}
