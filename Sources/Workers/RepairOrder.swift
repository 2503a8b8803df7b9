import Primitives

/// Which blobs are to be repaired next, as the whole queue was when it was looked at: a value that forgets whatever is
/// less urgent than what it has room for.
struct RepairOrder: Sendable {
    struct Candidate: Sendable {
        let name: BlobName
        /// How many shards more the blob can lose.
        let margin: Int
        fileprivate let reported: Timestamp

        /// Whether it comes before another one: the more endangered, and of those alike the one reported first.
        fileprivate func isMoreUrgent(than other: Candidate) -> Bool {
            (margin, reported, name) < (other.margin, other.reported, other.name)
        }
    }

    private let limit: Int
    private let read: UInt64
    /// The most urgent last, once they are sorted.
    private var candidates: [Candidate] = []

    /// - Parameters:
    ///   - limit: The most blobs that are kept.
    ///   - read: When the queue was looked at, in nanoseconds of the monotonic clock.
    init(limit: Int, read: UInt64) {
        (self.limit, self.read) = (limit, read)
    }

    mutating func add(_ name: BlobName, margin: Int, reported: Timestamp) {
        candidates.append(Candidate(name: name, margin: margin, reported: reported))
        if candidates.count >= limit * 2 { sort() }
    }

    /// Puts what was added in order, and forgets what there is no room for.
    mutating func sort() {
        candidates.sort { $1.isMoreUrgent(than: $0) }
        candidates.removeFirst(max(0, candidates.count - limit))
    }

    /// Takes the most urgent; none where the queue is to be looked at again.
    mutating func take(_ count: Int, now: UInt64, atMost age: Duration) -> [Candidate] {
        guard now &- read <= age.wholeNanoseconds else {
            candidates = []
            return []
        }
        defer { candidates.removeLast(min(count, candidates.count)) }
        return candidates.suffix(count).reversed()
    }
}
