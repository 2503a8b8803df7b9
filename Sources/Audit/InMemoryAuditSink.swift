import Synchronization

/// A log in memory, for simulations and tests: it chains as the real one does, and can be told to fail.
package final class InMemoryAuditSink: AuditSink {
    private struct State {
        var lines: [[UInt8]] = []
        var records: [AuditRecord] = []
        var indices: [String: AuditIndex] = [:]
        var failure: String?
    }

    private let node: String
    private let state = Mutex(State())

    package init(node: String = "memory") {
        self.node = node
    }

    /// The records so far, in order.
    package var records: [AuditRecord] { state.withLock { $0.records } }

    /// The records so far as they stand in the log, in order.
    package var lines: [[UInt8]] { state.withLock { $0.lines } }

    /// Makes every append fail, or with nil work again.
    package func fail(with message: String?) {
        state.withLock { $0.failure = message }
    }

    package var head: AuditHead? {
        state.withLock { state in
            state.lines.last.map { AuditHead(sequence: UInt64(state.lines.count - 1), hash: RecordHash.of($0)) }
        }
    }

    package var acceptsMutations: Bool { state.withLock { $0.failure == nil } }

    package func append(_ record: AuditRecord, durability: AuditDurability) async throws(AuditError) -> AuditIndex {
        let linkable = try LinkableRecord(record)
        return try state.withLock { state throws(AuditError) in try append(linkable, to: &state) }
    }

    package func append(contentsOf records: [AuditRecord]) async throws(AuditError) -> [AuditIndex] {
        guard records.count <= AuditBatch.maximumCount else { throw .tooLarge(records.count) }
        var linkable: [LinkableRecord] = []
        for record in records { linkable.append(try LinkableRecord(record)) }
        return try state.withLock { state throws(AuditError) in
            var indices: [AuditIndex] = []
            for record in linkable {
                if let index = state.indices[record.record.eventID] {
                    indices.append(index)
                } else {
                    let index = try append(record, to: &state)
                    state.indices[record.record.eventID] = index
                    indices.append(index)
                }
            }
            return indices
        }
    }

    private func append(_ record: LinkableRecord, to state: inout State) throws(AuditError) -> AuditIndex {
        if let failure = state.failure { throw .unavailable(failure) }
        let sequence = UInt64(state.lines.count)
        let previous = state.lines.last.map { RecordHash.of($0) } ?? ChainLink.origin
        state.lines.append(
            record.linked(ChainLink(sequence: sequence, node: node, epoch: 1, previous: previous)))
        state.records.append(record.record)
        return AuditIndex(sequence: sequence)
    }
}
