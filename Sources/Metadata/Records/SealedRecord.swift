package import Primitives

/// Something that is sealed, under `Keys.recoveryKey` and `Keys.keptAccess`.
package struct SealedRecord: Sendable, Hashable {
    /// When it was sealed.
    package var made: Timestamp
    /// Nonce, cipher text and tag.
    package var sealed: [UInt8]
    /// By which a sealing key is known without telling anything of it.
    package var fingerprint: [UInt8]

    package init(made: Timestamp, sealed: [UInt8], fingerprint: [UInt8]) {
        (self.made, self.sealed, self.fingerprint) = (made, sealed, fingerprint)
    }

    package var encoded: [UInt8] {
        var writer = RecordWriter()
        writer.number(1, made.nanoseconds)
        writer.bytes(2, sealed)
        writer.bytes(3, fingerprint)
        return writer.bytes
    }

    package init(encoded: [UInt8]) throws(RecordError) {
        var reader = RecordReader(encoded)
        (made, sealed, fingerprint) = (Timestamp(nanoseconds: 0), [], [])
        while let (field, value) = try reader.next() {
            switch field {
            case 1: made = Timestamp(nanoseconds: value.signed)
            case 2: sealed = value.bytes
            case 3: fingerprint = value.bytes
            default: break
            }
        }
    }
}
