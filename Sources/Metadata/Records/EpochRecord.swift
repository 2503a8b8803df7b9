package import Primitives

/// A writer epoch that is live, under `Keys.epoch`. Every commit of its writer is conditional on this row.
package struct EpochRecord: Sendable, Hashable {
    /// The gateway that holds it.
    package var node: String
    package var started: Timestamp
    /// Drawn by the holder: two processes that draw the same epoch at the same time tell by it whose it is.
    package var nonce: UInt64

    package init(node: String, started: Timestamp, nonce: UInt64) {
        (self.node, self.started, self.nonce) = (node, started, nonce)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.text(1, node)
        writer.number(2, started.nanoseconds)
        writer.number(3, nonce)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        (node, started, nonce) = ("", Timestamp(nanoseconds: 0), 0)
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            if field == 1 { node = value.text }
            if field == 2 { started = Timestamp(nanoseconds: value.signed) }
            if field == 3 { nonce = value.number }
        }
    }
}

/// What tells this deployment from every other one, under `Keys.deployment`.
package struct DeploymentRecord: Sendable, Hashable {
    /// 16 random bytes, which its stores and shards carry.
    package var id: [UInt8]
    package var created: Timestamp

    /// - Returns: Nil unless the id has 16 bytes.
    package init?(id: [UInt8], created: Timestamp) {
        guard id.count == 16 else { return nil }
        (self.id, self.created) = (id, created)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.bytes(1, id)
        writer.number(2, created.nanoseconds)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var (id, created): ([UInt8], Int64) = ([], 0)
        var reader = RecordReader(encoded)
        while let (field, value) = try reader.next() {
            if field == 1 { id = value.bytes }
            if field == 2 { created = value.signed }
        }
        guard let record = DeploymentRecord(id: id, created: Timestamp(nanoseconds: created)) else { throw .malformed }
        self = record
    }
}
