package import Audit
import Primitives
import Synchronization

/// Keeps those who refuse to say who they are from filling the log: beyond some refusals a source and minute, they are
/// counted, and a record of the count follows.
package final class RefusalNoise: Sendable {
    private let counter = Mutex(NoiseCounter())

    package init() {}

    /// Whether a refusal is to have a record of its own.
    func isRecorded(from source: String, at nanoseconds: UInt64) -> Bool {
        counter.withLock { $0.refusal(from: source, at: nanoseconds) } == .record
    }

    /// Writes the records of the counts that are due.
    ///
    /// - Parameter isLast: whether every count is due, since the log is to be closed.
    /// - Throws: what the log throws; the counts that were not written are lost, which the error tells.
    package func flush(into gateway: Gateway, isLast: Bool = false) async throws(AuditError) {
        let now = gateway.environment.monotonicNanoseconds()
        let due = counter.withLock { isLast ? $0.finish() : $0.summaries(at: now) }
        for summary in due {
            let event = AuditEvent.refusals(
                summary, id: gateway.environment.eventID(), at: gateway.environment.now(),
                region: gateway.settings.region)
            _ = try await gateway.audit.append(AuditRecord(event), durability: .bounded)
        }
    }
}
