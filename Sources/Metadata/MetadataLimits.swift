/// The bounds that every index keeps, so that one caller cannot make it hold or read without end.
package enum MetadataLimits {
    /// Bytes of a key.
    package static let keyLength = 4096
    /// Bytes of a value. Records are some 4 KiB; a manifest of 10,000 parts is the longest of them.
    package static let valueLength = 4 << 20
    /// Conditions and mutations of one transaction, together. The longest completes an upload of 10,000 parts over an
    /// object of 10,000 parts: two mutations for each of the 100,000 segments that they may come to, and some for each
    /// part.
    package static let transactionSteps = 250_000
    /// Bytes of keys and values in one transaction.
    package static let transactionBytes = 16 << 20
    /// Rows of one page, whatever the scan asks for.
    package static let pageRows = 10_000
    /// Bytes of keys and values after which a page ends early.
    package static let pageBytes = 8 << 20
    /// Keys of one call of `values`.
    package static let valuesPerCall = 100_000
    /// The latest commits whose transaction ids and changes are kept at least.
    package static let commitsKept = 65_536
}

extension Transaction {
    /// Whether the transaction keeps the limits, whatever the index holds.
    ///
    /// - Throws: `notCommitted` where a key or a value is too long, or the whole is too large.
    package func checkLimits() throws(MetadataError) {
        guard conditions.count + mutations.count <= MetadataLimits.transactionSteps else {
            throw .notCommitted("a transaction has more than \(MetadataLimits.transactionSteps) steps")
        }
        var bytes = 0
        for condition in conditions {
            switch condition {
            case .absent(let key), .version(let key, _), .present(let key), .absentOrEmpty(let key):
                bytes += try Self.checkedLength(ofKey: key)
            case .rangeEmpty(let range):
                // Bounds are no keys of entries: the successor of a prefix may be a byte longer than any key.
                bytes += range.lowerBound.key.count + range.upperBound.key.count
            }
        }
        for mutation in mutations {
            switch mutation {
            case .put(let key, let value), .create(let key, let value):
                guard value.count <= MetadataLimits.valueLength else {
                    throw .notCommitted("a value has \(value.count) bytes, which is too long")
                }
                bytes += try Self.checkedLength(ofKey: key) + value.count
            case .remove(let key), .add(let key, _):
                bytes += try Self.checkedLength(ofKey: key)
            }
        }
        guard bytes <= MetadataLimits.transactionBytes else {
            throw .notCommitted("a transaction has \(bytes) bytes, which is too many")
        }
    }

    private static func checkedLength(ofKey key: Key) throws(MetadataError) -> Int {
        guard key.count <= MetadataLimits.keyLength else {
            throw .notCommitted("a key has \(key.count) bytes, which is too long")
        }
        return key.count
    }
}
