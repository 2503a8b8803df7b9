package import Primitives

/// What was seen of the store in a position since it was first watched, under `Keys.storeHistory`: the sums alone, so
/// that it does not grow.
package struct StoreHistoryRecord: Sendable, Hashable {
    /// Things that happened, and how long they took.
    package struct Times: Sendable, Hashable {
        package var count: UInt64 = 0
        package var seconds: UInt64 = 0
        package var longestSeconds: UInt64 = 0

        package init() {}

        /// Counts one more; a time that is negative, as where the clock was set back, counts as none.
        package mutating func add(_ duration: Duration, count: UInt64 = 1) {
            let seconds = UInt64(max(0, duration.components.seconds))
            self.count = self.count.saturatingAdd(count)
            self.seconds = self.seconds.saturatingAdd(seconds.saturatingMultiply(count))
            longestSeconds = max(longestSeconds, seconds)
        }
    }

    /// When it was first watched.
    package var since: Timestamp
    /// Seconds for which a gateway watched it.
    package var watchedSeconds: UInt64 = 0
    /// Times without it, after which it was back with what it held or was replaced.
    package var outages = Times()
    /// Since when it is away; nil where it is not.
    package var awaySince: Timestamp?
    /// How often it lost all that it held: another store came in its place.
    package var losses: UInt64 = 0
    /// Whether it was replaced and not every shard has been looked at since: what is missing in it is part of that
    /// loss.
    package var isRestoring = false
    /// Shards that a scrub found missing or corrupt in it.
    package var damagedShards: UInt64 = 0
    /// Shards that were lost, here or elsewhere, and written anew to this store: from the finding of the loss to the
    /// commit.
    package var repairs = Times()
    package var repairedBytes: UInt64 = 0

    package init(since: Timestamp) {
        self.since = since
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, since.nanoseconds)
        writer.number(2, watchedSeconds)
        writer.record(3) { outages.write(to: &$0) }
        if let awaySince { writer.number(4, awaySince.nanoseconds) }
        writer.number(5, losses)
        writer.number(6, isRestoring ? 1 : 0 as UInt64)
        writer.number(7, damagedShards)
        writer.record(8) { repairs.write(to: &$0) }
        writer.number(9, repairedBytes)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        self.init(since: Timestamp(nanoseconds: 0))
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: since = Timestamp(nanoseconds: value.signed)
            case 2: watchedSeconds = value.number
            case 3: outages = try Times(value.record())
            case 4: awaySince = Timestamp(nanoseconds: value.signed)
            case 5: losses = value.number
            case 6: isRestoring = value.number != 0
            case 7: damagedShards = value.number
            case 8: repairs = try Times(value.record())
            case 9: repairedBytes = value.number
            default: break
            }
        }
    }
}

extension StoreHistoryRecord.Times {
    func write(to writer: inout RecordWriter) {
        writer.number(1, count)
        writer.number(2, seconds)
        writer.number(3, longestSeconds)
    }

    init(_ reader: RecordReader) throws(RecordError) {
        var reader = reader
        self.init()
        while let (field, value) = try reader.next() {
            switch field {
            case 1: count = value.number
            case 2: seconds = value.number
            case 3: longestSeconds = value.number
            default: break
            }
        }
    }
}

extension UInt64 {
    /// The sum, or the greatest number where it does not fit: a record that somebody damaged ends no process.
    package func saturatingAdd(_ other: UInt64) -> UInt64 {
        let (sum, overflow) = addingReportingOverflow(other)
        return overflow ? .max : sum
    }

    fileprivate func saturatingMultiply(_ other: UInt64) -> UInt64 {
        let (product, overflow) = multipliedReportingOverflow(by: other)
        return overflow ? .max : product
    }
}
