/// An audit record in the outbox, under `Keys.outbox`: part of the commit that it tells of, until it is in the log.
package struct OutboxRecord: Sendable, Hashable {
    /// By which the log drops a record that it meets twice.
    package var eventID: String
    /// The record as it goes into the log.
    package var canonicalJSON: [UInt8]

    package init(eventID: String, canonicalJSON: [UInt8]) {
        (self.eventID, self.canonicalJSON) = (eventID, canonicalJSON)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.text(1, eventID)
        writer.bytes(2, canonicalJSON)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        (eventID, canonicalJSON) = ("", [])
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            if field == 1 { eventID = value.text }
            if field == 2 { canonicalJSON = value.bytes }
        }
        guard !eventID.isEmpty else { throw .malformed }
    }
}
