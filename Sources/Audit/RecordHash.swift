import Cryptography

/// The hash that chains records.
package enum RecordHash {
    /// The SHA-256 of a record's bytes as they stand in the log, without the line feed.
    package static func of(_ line: [UInt8]) -> [UInt8] {
        Digest.hash(.sha256, line)
    }
}
