import Audit
import Logging
import Monitoring
import Primitives

/// Tells of stores that go and come, and has the shards restored that they lack.
struct StoreWatch: Sendable {
    let audit: any AuditSink
    let environment: any Environment
    let region: String
    let logger: Logger
    let changes: Counter
    /// What is to be looked at after a store came.
    enum Look: Sendable {
        /// Every byte: the store may lack what it held, and what was written since.
        case everyShard
        /// Where shards lie: what was written while it was away had to go elsewhere.
        case placement
    }

    /// Asks for a look, which queues what is found.
    let wantLook: @Sendable (Look) -> Void

    func observe(_ event: StoreEvent) {
        changes.add()
        switch event {
        case .attached(let slot): record("StoreAttached", slot, nil)
        case .replaced(let slot):
            logger.notice(
                "a new store stands in place of a lost one; its shards are restored", metadata: tags(slot, nil))
            record("StoreReplaced", slot, nil)
            wantLook(.everyShard)
        case .returned(let slot):
            logger.notice("a store is back", metadata: tags(slot, nil))
            record("StoreReturned", slot, nil)
            // A service that did not answer has lost nothing by that, and to read all that it holds costs money. The
            // usual scrub finds out if it has.
            wantLook(slot.place.backend == nil ? .everyShard : .placement)
        case .lost(let slot, let reason):
            logger.error("a store is away", metadata: tags(slot, reason))
            record("StoreLost", slot, reason)
        case .stillAway(let slot, let reason):
            // The audit log has it from when it went.
            logger.error("a store is away", metadata: tags(slot, reason))
        case .suspect(let slot, let reason):
            logger.error("a store takes no writes any more", metadata: tags(slot, reason))
            record("StoreSuspect", slot, reason)
        }
    }

    private func tags(_ slot: StoreSlot, _ reason: String?) -> Logger.Metadata {
        var tags: Logger.Metadata = ["store": .count(slot.position), "path": "\(slot.path)"]
        if let reason { tags["reason"] = "\(reason)" }
        return tags
    }

    private func record(_ name: String, _ slot: StoreSlot, _ reason: String?) {
        var parameters = ["store": String(slot.position)]
        parameters["reason"] = reason
        let event = AuditEvent.system(
            name, id: environment.eventID(), at: environment.now(), region: region, parameters: parameters)
        Task {
            do throws(AuditError) {
                _ = try await audit.append(AuditRecord(event), durability: .bounded)
            } catch {
                logger.error("an event of a store could not be recorded", metadata: ["reason": "\(error)"])
            }
        }
    }
}
