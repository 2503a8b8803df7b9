package import Primitives

/// That this index may lack commits that were acknowledged, under `Keys.recovered`: it was brought back from copies,
/// whose journal may end before the last commit there was.
///
/// What those commits referred to is named by nothing now, and looks like the rest of an upload that a crash cut short.
/// As long as the row is there, nothing of the epochs that it names is collected.
package struct RecoveredRecord: Sendable, Hashable {
    /// When the loss was noticed.
    package var noticed: Timestamp
    /// The first epoch whose blobs this index knows for certain; `.max` where there is none.
    package var keptBelow: UInt64

    package init(noticed: Timestamp, keptBelow: UInt64) {
        (self.noticed, self.keptBelow) = (noticed, keptBelow)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, noticed.nanoseconds)
        writer.number(2, keptBelow)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        (noticed, keptBelow) = (Timestamp(nanoseconds: 0), 0)
        while let (field, value) = try reader.next() {
            switch field {
            case 1: noticed = Timestamp(nanoseconds: value.signed)
            case 2: keptBelow = value.number
            default: break
            }
        }
    }
}
