import Configuration
import DirectoryStore
import Gateway
import IndexBackup
import Metadata
import Pools
import Primitives
import Storage
import Workers

/// The step of a recovery that follows snapshot and journal: what the stores' footers tell of the commits after the
/// journal's end.
struct LostTail {
    /// A place of a store: what was found there, and the store where it could be opened.
    struct Place {
        var finding: StoreFinding
        var store: (any AttachedStore)?
    }

    let launch: Launch
    let index: any MetadataIndex
    let session: WriterSession
    let commits: WorkerCommits
    let directories: [Place]
    /// By position of the pool.
    let backends: [UInt16: Place]

    /// Brings back what the journal missed.
    ///
    /// - Parameter last: the last commit that the journal had.
    /// - Returns: What was brought back; and what went wrong, if something did. An index that lacks the rest is worth
    ///   as much as the journal, and better than none.
    func bringBack(after last: CommitVersion) async -> (report: TailReport, problem: String?) {
        var report = TailReport()
        do throws(StartError) {
            try await bringBack(after: last, &report)
            return (report, nil)
        } catch {
            return (report, error.description)
        }
    }

    private func bringBack(after last: CommitVersion, _ report: inout TailReport) async throws(StartError) {
        let knowledge = try await knowledge(through: last)
        let slots = try await slots()
        let registry = try await StoreRegistry.read(index)
        let wanted = registry.wanted(
            of: slots.count, launch.configuration.pool, node: launch.configuration.node)
        let placements = try await registry.placements(wanted, commits)
        let environment = launch.environment
        let pool = try Deployment.makePool(
            launch.configuration, slots, session, placements, DamageQueue(environment: environment), environment
        ) { slots[$0].absence != nil }
        let writes = CommitService(index: index, epoch: session.gateway, begun: session.begun) {}
        let recovery = TailRecovery(
            index, commits: writes, pool: pool, environment: environment, region: launch.configuration.region)
        let bar = ProgressLine()
        defer { bar.clear() }
        do throws(TailRecoveryError) {
            try await recovery.run(knowledge, &report) { report in
                bar.show("\(report.blobs) blobs looked at, \(report.objects) objects brought back")
            }
        } catch {
            throw StartError("\(error)")
        }
    }

    private func knowledge(through last: CommitVersion) async throws(StartError) -> JournalKnowledge {
        var segments = JournalledSegments()
        let (limit, environment) = (TailRecovery.Limits().commits, launch.environment)
        let stores: [any BlobStore] = (directories + backends.values).compactMap(\.store)
        let floor: CommitVersion
        do throws(IndexBackupError) {
            floor = try await IndexRecovery.reviewJournal(
                of: stores, through: last, limit: limit, patience: StorePatience(environment)
            ) { segments.note($0) }
        } catch {
            throw StartError("The journal: \(error)")
        }
        guard segments.malformed == 0 else {
            throw StartError("The journal has \(segments.malformed) records that cannot be read.")
        }
        return JournalKnowledge(
            through: last, floor: floor, segments: segments,
            writers: LostWriters(live: session.ended, unknown: session.unknown))
    }

    /// The stores in the positions that the index knows. Nothing is registered: the gateway's next start does that.
    private func slots() async throws(StartError) -> [StoreSlot] {
        let registry = try await StoreRegistry.read(index)
        let positions = try StoreArrangement.positions(of: directories.map(\.finding), records: registry.stores)
        var slots: [StoreSlot] = []
        for (number, position) in positions.enumerated() {
            let place: Place
            switch position {
            case .directory(let index): place = directories[index]
            case .backend:
                guard let backend = backends[UInt16(truncatingIfNeeded: number)] else { continue }
                place = backend
            }
            let slot = StoreSlot(position: number, place: place.finding.place)
            if let store = place.store { slot.attach(store) }
            slots.append(slot)
        }
        return slots
    }

    /// What came of it, in sentences.
    static func sentences(_ report: TailReport, _ problem: String?) -> [String] {
        var lines: [String] = []
        if let problem { lines.append("The stores' footers could not all be used: \(problem)") }
        lines += [
            "The stores' footers gave \(report.objects) objects (\(report.bytes) bytes) and \(report.parts) parts of "
                + "uploads that the journal did not have; answers mark the objects with x-tidegate-recovered."
        ]
        for reason in TailReport.Reason.allCases {
            if let count = report.left[reason] { lines.append("Left alone: \(count) \(reason.rawValue).") }
        }
        return lines
    }
}
