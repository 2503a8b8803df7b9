/// Where records go.
package protocol AuditSink: Sendable {
    /// Appends a record, giving it its place in the chain.
    ///
    /// Returns once the record is durable, or, for `bounded` durability, once it is in the log's next group sync.
    func append(_ record: AuditRecord, durability: AuditDurability) async throws(AuditError) -> AuditIndex
}

/// When an append returns.
package enum AuditDurability: String, Sendable, CaseIterable {
    /// After the sync.
    case strict
    /// At once; the sync follows within a second.
    case bounded
}

/// A record's place: the node's log and its number there, from 0.
package struct AuditIndex: Hashable, Sendable {
    package var sequence: UInt64

    package init(sequence: UInt64) {
        self.sequence = sequence
    }
}

/// Why a record could not be appended.
package enum AuditError: Error, CustomStringConvertible {
    /// The log cannot be written; the message is for the log of the process.
    case unavailable(String)
    /// The record is larger than 65,535 bytes.
    case tooLarge(Int)

    package var description: String {
        switch self {
        case .unavailable(let detail): "the audit log is unavailable: \(detail)"
        case .tooLarge(let size): "the record has \(size) bytes, more than 65,535"
        }
    }
}
