import Metadata

/// The keys of commits that the journal may lack: of those that are under way, and of those that the stores did not
/// take. No I/O.
///
/// What a commit did is in the index, and read there, before the stores have it.
struct UnjournalledKeys: Sendable {
    /// A commit under way.
    struct Ticket: Sendable {
        fileprivate let number: UInt64
        fileprivate let keys: [Key]
    }

    /// How a commit ended.
    enum End: Sendable {
        case journalled
        /// It changed nothing.
        case refused
        /// It may have been applied, and the journal may lack it.
        case unsure
    }

    /// How many commits that did not end as `journalled` or `refused` name each key.
    private var counts: [Key: Int] = [:]
    /// Commits that ended as `unsure`, by when that was.
    private var unsure: [Ticket] = []
    private var next: UInt64 = 0
    /// Whether the process has yet to see that the journal has what those before it committed.
    private var isFresh = true

    /// A moment: what ended before it has a lower number.
    var moment: UInt64 { next }

    /// Call it before the commit is asked for.
    mutating func begin(_ mutations: [Mutation]) -> Ticket {
        let ticket = Ticket(number: draw(), keys: mutations.map(\.key))
        for key in ticket.keys { counts[key, default: 0] += 1 }
        return ticket
    }

    mutating func end(_ ticket: Ticket, _ end: End) {
        switch end {
        case .journalled:
            forget(ticket)
            // The journal is in order: it has what was applied before this commit began as well.
            journalled(by: ticket.number)
        case .refused: forget(ticket)
        case .unsure: unsure.append(Ticket(number: draw(), keys: ticket.keys))
        }
    }

    /// Notes that the journal has everything that was applied by a moment.
    mutating func journalled(by moment: UInt64) {
        isFresh = false
        forgetUnsure(before: moment)
    }

    /// Whether what is read of one of the keys may be missing in the journal.
    func mayLack(_ keys: some Sequence<Key>) -> Bool {
        isFresh || (!counts.isEmpty && keys.contains { counts[$0] != nil })
    }

    /// Whether what is read of one of the ranges may be missing in the journal.
    func mayLack(in ranges: some Sequence<Range<KeyBound>>) -> Bool {
        isFresh
            || (!counts.isEmpty
                && ranges.contains { range in counts.keys.contains { range.contains(KeyBound($0)) } })
    }

    private mutating func draw() -> UInt64 {
        defer { next += 1 }
        return next
    }

    private mutating func forgetUnsure(before moment: UInt64) {
        while let first = unsure.first, first.number < moment { forget(unsure.removeFirst()) }
    }

    private mutating func forget(_ ticket: Ticket) {
        for key in ticket.keys {
            guard let count = counts[key] else { continue }
            counts[key] = count > 1 ? count - 1 : nil
        }
    }
}

extension Mutation {
    fileprivate var key: Key {
        switch self {
        case .put(let key, _), .create(let key, _), .remove(let key), .add(let key, _): key
        }
    }
}
