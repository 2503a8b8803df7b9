/// One page of keys, in order.
package struct Scan: Sendable, Hashable {
    /// Keys from `range.lowerBound`, below `range.upperBound`.
    package var range: Range<KeyBound>
    /// How many rows (entries and groups together) the page may have. It may have fewer: a page also ends after
    /// `MetadataLimits.pageRows` rows or `pageBytes` bytes, and only `Page.next` says whether the range is exhausted.
    package var limit: Int
    /// Rolls up what shares a prefix, and seeks past it instead of reading it.
    package var grouping: Grouping?
    /// Whether keys come from the end of the range backwards. Not together with `grouping`.
    package var reversed: Bool
    /// Whether entries come with their values.
    package var wantsValues: Bool

    /// Keys longer than `prefixLength` that contain `delimiter` after it are rolled up to the first such delimiter,
    /// inclusive. An empty delimiter rolls nothing up.
    package struct Grouping: Sendable, Hashable {
        package var prefixLength: Int
        package var delimiter: [UInt8]
        /// Where it is not empty, a delimiter counts only where it ends before the first of these after the prefix: for
        /// keys that end in something else.
        package var terminator: [UInt8]

        package init(prefixLength: Int, delimiter: [UInt8], terminator: [UInt8] = []) {
            (self.prefixLength, self.delimiter, self.terminator) = (prefixLength, delimiter, terminator)
        }
    }

    package init(
        _ range: Range<KeyBound>, limit: Int, grouping: Grouping? = nil, reversed: Bool = false,
        wantsValues: Bool = true
    ) {
        (self.range, self.limit, self.grouping) = (range, limit, grouping)
        (self.reversed, self.wantsValues) = (reversed, wantsValues)
    }
}

/// What a scan found.
package struct Page: Sendable, Hashable {
    package enum Row: Sendable, Hashable {
        case entry(Entry)
        /// The keys that begin so, rolled up; at least one exists.
        case group(Key)
    }

    package var rows: [Row]
    /// Where the next page begins, or nil where the range is exhausted: the lower bound of the next scan, or its
    /// upper bound where the scan is reversed.
    package var next: Key?

    package init(rows: [Row], next: Key?) {
        (self.rows, self.next) = (rows, next)
    }

    /// The entries alone, for scans without grouping.
    package var entries: [Entry] {
        rows.compactMap { if case .entry(let entry) = $0 { entry } else { nil } }
    }
}
