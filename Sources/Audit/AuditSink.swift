/// Where records go.
package protocol AuditSink: Sendable {
    /// Appends a record, giving it its place in the chain.
    ///
    /// Returns once the record is durable, or, for `bounded` durability, once a crash of the process alone would not
    /// lose it.
    /// - Throws: `tooLarge` and `malformed` for a record that is not one of `AuditRecord(_:)`'s; `unavailable` where
    ///   the log cannot be written or takes no more at the moment.
    func append(_ record: AuditRecord, durability: AuditDurability) async throws(AuditError) -> AuditIndex

    /// Appends the records of committed mutations, in order; durable when it returns, all or (after `unavailable`)
    /// some.
    ///
    /// A record whose `eventID` is among the recent ones of such batches is not appended again, and gets the index it
    /// has. So a drainer that died between this call and the removal of its outbox rows hands the same batch over
    /// again.
    /// - Throws: as `append(_:durability:)`; `tooLarge` for more than `AuditBatch.maximumCount` records too.
    func append(contentsOf records: [AuditRecord]) async throws(AuditError) -> [AuditIndex]

    /// The last record that is durable; nil where there is none.
    var head: AuditHead? { get }

    /// Whether mutations may go on: false once the log failed, and while it lives on its reserve of disk space. The
    /// gateway answers 503 to mutations meanwhile; records of what was already committed are still taken.
    var acceptsMutations: Bool { get }
}

/// The bounds of what an outbox drainer hands over.
package enum AuditBatch {
    /// Records of one batch at most.
    package static let maximumCount = 1024
    /// How many recent records of batches a log remembers by their ids.
    ///
    /// A drainer hands over one batch, and the next one only after the first one's outbox rows are removed. So what can
    /// come twice is one batch; four times as much leaves room for a fenced predecessor's last batches.
    package static let rememberedCount = 4 * maximumCount
}

/// When an append returns.
package enum AuditDurability: String, Sendable, CaseIterable {
    /// After the sync.
    case strict
    /// Once the record is written; the sync follows within a second.
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
package enum AuditError: Error, Equatable, CustomStringConvertible {
    /// The log cannot be written; the message is for the log of the process.
    case unavailable(String)
    /// The log is not as any crash could have left it, and is not opened; the message says what is wrong with it and
    /// what to do.
    case damaged(String)
    /// The record is larger than 65,535 bytes, or the batch larger than its bound.
    case tooLarge(Int)
    /// The record with this `eventID` is no canonical JSON object, or has members that belong to the log.
    case malformed(String)

    package var description: String {
        switch self {
        case .unavailable(let detail): "the audit log is unavailable: \(detail)"
        case .damaged(let detail): "the audit log is damaged: \(detail)"
        case .tooLarge(let size): "the record or batch has a size of \(size), which is over its bound"
        case .malformed(let eventID): "the record \(eventID) is no canonical JSON object"
        }
    }
}
