package import Primitives

/// That shards are to be moved to where the current list of stores has them, under `Keys.rebalance`.
package struct RebalanceRecord: Sendable, Hashable {
    /// When that was asked for.
    package var began: Timestamp

    package init(began: Timestamp) {
        self.began = began
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, began.nanoseconds)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        began = Timestamp(nanoseconds: 0)
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            if field == 1 { began = Timestamp(nanoseconds: value.signed) }
        }
    }
}
