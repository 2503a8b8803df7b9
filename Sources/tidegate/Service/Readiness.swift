import AuditLog
import Configuration
import EmbeddedIndex
import Metadata
import Workers

/// What keeps the gateway from serving now.
struct Readiness: Sendable {
    let deployment: Deployment
    let audit: FileAuditLog
    let isDraining: RaisedFlag

    /// Sentences; none where both reads and writes can be served.
    func obstacles() async -> [String] {
        var found: [String] = []
        if isDraining.isRaised { found.append("The gateway is stopping.") }
        if !audit.acceptsMutations { found.append("The audit log takes no records of changes.") }
        let slots = deployment.keeper.slots.filter { !$0.isGone }
        let up = slots.count { $0.store != nil }
        let needed = deployment.launch.configuration.pool.dataShards
        if up < min(needed, slots.count) { found.append("Only \(up) of the \(needed) stores needed are attached.") }
        if let suspicion = deployment.embedded.suspicion { found.append("The index is suspect: \(suspicion).") }
        do throws(MetadataError) {
            // A commit whose epoch has ended is refused: another process has taken over.
            let epoch = Keys.epoch(deployment.session.gateway)
            if try await deployment.embedded.values(of: [epoch])[0] == nil {
                found.append("Another process has taken over the index.")
            }
        } catch {
            found.append("The index does not answer.")
        }
        return found
    }
}
