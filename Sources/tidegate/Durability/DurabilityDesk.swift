import Audit
import Configuration
import Durability
import IndexBackup
import Logging
import Metadata
import Pools
import Primitives
import Storage
import Synchronization
import Workers

/// Tells how far everything that is stored is from its loss: in a running gateway, or beside a stopped one.
final class DurabilityDesk: Sendable {
    /// What is known of the stores at one moment.
    private struct Stores {
        var views: [StoreView] = []
        var told: [DurabilityView.Store] = []
    }

    /// What the metrics tell: the last count.
    struct Last: Sendable {
        var view: DurabilityView
        /// When that was, in nanoseconds of the monotonic clock.
        var taken: UInt64
    }

    /// How long a store may take to answer.
    private static let patience = Duration.seconds(3)
    /// Between looks at whether another count has ended.
    private static let pause = Duration.milliseconds(20)

    private let launch: Launch
    private let index: any MetadataIndex
    /// The gateway that runs; nil beside a stopped one.
    private let live: Deployment?
    /// What was found at each position when the index was opened, where no gateway runs.
    private let found: [StoreFinding]
    private let isCounting = Atomic<Bool>(false)
    private let kept = Mutex<Last?>(nil)
    private let isWanted = Atomic<Bool>(true)

    init(_ deployment: Deployment) {
        (launch, index, live, found) = (deployment.launch, deployment.index, deployment, [])
    }

    init(_ launch: Launch, _ opened: OpenedIndex) throws(StartError) {
        (self.launch, index, live, found) = (launch, opened.embedded, nil, try opened.arranged())
    }

    /// The last count that was made; nil before the first one.
    var last: Last? { kept.withLock { $0 } }

    // MARK: For the metrics

    /// Between looks at whether another count is due.
    private static let period = Duration.seconds(1)
    /// From one count to the next where nothing happens to a store: so long, or so many times as long as it took.
    private static let secondsBetween = 300.0
    private static let rest = 50.0
    /// The same where something did.
    private static let shortRest = 4.0

    /// Has everything counted again soon: a store went or came.
    func lookAgain() {
        isWanted.store(true, ordering: .releasing)
    }

    /// Counts for the metrics until it is cancelled, so often that it takes but a small part of the time.
    func run(_ logger: Logger) async {
        var (next, soonest): (UInt64, UInt64) = (0, 0)
        while true {
            do throws(CancellationError) { try await launch.environment.sleep(for: Self.period) } catch { return }
            let now = launch.environment.monotonicNanoseconds()
            guard now >= soonest, now >= next || isWanted.load(ordering: .acquiring) else { continue }
            isWanted.store(false, ordering: .releasing)
            var took = 0.0
            do throws(BackendError) {
                took = try await view().walkSeconds
            } catch {
                logger.warning("what could be lost could not be counted", metadata: ["reason": "\(error)"])
            }
            let ended = launch.environment.monotonicNanoseconds()
            await adapt(logger)
            soonest = ended &+ UInt64(took * Self.shortRest * 1e9)
            next = ended &+ UInt64(max(Self.secondsBetween, took * Self.rest) * 1e9)
        }
    }

    /// Gives new objects as many parity shards as the losses that were seen ask for, where that is configured.
    private func adapt(_ logger: Logger) async {
        guard let live, let ceiling = launch.configuration.pool.adaptiveParity else { return }
        let (pool, expected) = (launch.configuration.pool, launch.configuration.expectedLosses)
        let observed = ObservedRates(live.histories.current.values, shards: 0)
        let rule = AdaptiveParity(
            dataShards: pool.dataShards, floor: pool.parityShards, ceiling: ceiling,
            expected: ShardRates(lossesPerYear: expected.lossesPerYear, repairDays: expected.repairTime.days))
        let parity = rule.parity(
            losses: observed.losses, repairDays: observed.repairDays, domains: live.pool.domainsOfNew)
        let before = live.pool.parityOfNew
        guard parity != before else { return }
        live.pool.parityOfNew = parity
        logger.notice(
            "new objects are given another number of parity shards, by the losses that were observed",
            metadata: ["before": .count(before), "now": .count(parity), "losses": .count(observed.losses.events)])
        let record = AuditRecord(
            .system(
                "ChangeParity", id: launch.environment.eventID(), at: launch.environment.now(),
                region: launch.configuration.region,
                parameters: ["before": String(before), "now": String(parity)]))
        do throws(WorkerError) {
            _ = try await live.commits.commit([], [], records: [record])
        } catch {
            logger.error("a change of parity could not be recorded", metadata: ["reason": "\(error)"])
        }
    }

    // MARK: Counting

    /// Looks at every store and at the record of every blob.
    func view() async throws(BackendError) -> DurabilityView {
        // One count at a time: whoever asks meanwhile waits.
        while !isCounting.compareExchange(expected: false, desired: true, ordering: .acquiring).exchanged {
            do throws(CancellationError) {
                try await launch.environment.sleep(for: Self.pause)
            } catch {
                throw BackendError(.unavailable, "The gateway is stopping.")
            }
        }
        defer { isCounting.store(false, ordering: .releasing) }
        let registry: StoreRegistry
        do throws(StartError) {
            registry = try await StoreRegistry.read(index)
        } catch {
            throw BackendError(.unavailable, error.description)
        }
        let stores = try await stores(registry)
        let written = live?.capacities.written() ?? [:]
        let began = launch.environment.monotonicNanoseconds()
        let (census, coverage): (DistanceCensus, ScrubCoverage)
        do throws(WorkerError) {
            census = try await CensusTaker(index, environment: launch.environment).take(
                stores.views, registry.placements, within: launch.configuration.pool.scrubWithin)
            coverage = try await ScrubCoverage.read(from: index)
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
        let ended = launch.environment.monotonicNanoseconds()
        live?.capacities.note(held: census.bytesOnStore, writtenBefore: written)
        var report = DurabilityReport(
            census: census, coverage: coverage, configuration: launch.configuration,
            placement: registry.placements.last, histories: try await histories(registry))
        if let live {
            report.parityOfNew = live.pool.parityOfNew
            let status = await live.backup.currentStatus()
            report.journal = DurabilityView.Journal(
                secondsBehind: status.secondsBehind, journalledCommit: status.journalledThrough)
        }
        let view = report.view(stores: stores.told, walkSeconds: Double(ended &- began) / 1e9)
        kept.withLock { $0 = Last(view: view, taken: ended) }
        return view
    }

    // MARK: The stores

    private func histories(_ registry: StoreRegistry) async throws(BackendError) -> [UInt16: StoreHistoryRecord] {
        let all: [UInt16: StoreHistoryRecord]
        if let live {
            all = live.histories.current
        } else {
            do throws(StartError) {
                all = try await StoreHistories.read(index)
            } catch {
                throw BackendError(.unavailable, error.description)
            }
        }
        return all.filter { registry.stores[$0.key]?.standing != .detached }
    }

    private func stores(_ registry: StoreRegistry) async throws(BackendError) -> Stores {
        let absences = await absences(registry)
        let histories = try await histories(registry)
        let current = registry.placements.last
        var domains: [UInt16: Int] = [:]
        for (store, domain) in zip(current?.stores ?? [], current?.domains ?? []) { domains[store] = Int(domain) }
        var stores = Stores()
        for position in absences.indices {
            let number = UInt16(truncatingIfNeeded: position)
            let record = registry.stores[number]
            // One that is in no domain of the current list is in one of its own.
            let domain = domains[number] ?? -1 - position
            let isBuffered = record?.backend?.isBuffered ?? false
            let isGone = record?.standing == .detached
            stores.views.append(
                StoreView(isReached: !isGone && absences[position] == nil, isBuffered: isBuffered, domain: domain))
            guard !isGone else { continue }
            let history = histories[number]
            stores.told.append(
                DurabilityView.Store(
                    store: position, name: record?.backend?.name ?? record?.place ?? "store \(position)",
                    absence: absences[position], durability: isBuffered ? "buffered" : "durable", domain: domain,
                    watchedSince: history?.since.iso8601, watchedSeconds: history?.watchedSeconds ?? 0,
                    outages: (history?.outages.count ?? 0) + (history?.awaySince == nil ? 0 : 1),
                    outageSeconds: history?.outages.seconds ?? 0,
                    longestOutageSeconds: history?.outages.longestSeconds ?? 0, losses: history?.losses ?? 0,
                    damagedShards: history?.damagedShards ?? 0, repairs: history?.repairs.count ?? 0,
                    repairedBytes: history?.repairedBytes ?? 0))
        }
        return stores
    }

    /// Why each store does not answer at this moment, by position: nil where it does.
    private func absences(_ registry: StoreRegistry) async -> [String?] {
        guard let live else {
            return found.enumerated().map { position, finding in
                let known = registry.stores[UInt16(truncatingIfNeeded: position)]
                if finding.identity != nil, finding.identity?.store == known?.id { return nil }
                return finding.problem ?? "its store is not there"
            }
        }
        let slots = live.keeper.slots
        return await withTaskGroup(of: (Int, String?).self) { group in
            for slot in slots {
                group.addTask {
                    guard let store = slot.store else {
                        return (slot.position, slot.absence ?? "it was detached")
                    }
                    return (slot.position, await store.silence(patience: Self.patience))
                }
            }
            var absences = [String?](repeating: nil, count: slots.count)
            for await (position, absence) in group { absences[position] = absence }
            return absences
        }
    }
}
