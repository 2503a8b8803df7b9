/// A blob that lost a reference, under `Keys.trash`. A `pending` one is empty, by which commits that refer to the blob
/// tell it from the others (`Condition.absentOrEmpty`).
package struct TrashRecord: Sendable, Hashable {
    package enum State: UInt64, Sendable {
        /// It lost a reference, and may have others.
        case pending = 0
        /// Nothing refers to it and nothing ever will. Reads that began before may still go on.
        case condemned = 1
        /// Its shards are gone. The row is a tombstone, which keeps late members of the blob from being committed.
        case deleted = 2
    }

    package var state: State
    /// Of a condemned one: where its shards are, as its record said; nil where there was no record.
    package var location: BlobLocation?

    package init(state: State, location: BlobLocation? = nil) {
        (self.state, self.location) = (state, location)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, state.rawValue)
        if let location { writer.record(2) { location.write(to: &$0) } }
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        (state, location) = (.pending, nil)
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            switch field {
            case 1:
                guard let known = State(rawValue: value.number) else { throw .malformed }
                state = known
            case 2: location = try BlobLocation(value.record())
            default: break
            }
        }
    }
}
