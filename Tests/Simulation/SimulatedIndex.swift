import Metadata
import Synchronization

/// The index of a simulated deployment: in memory, durable over the deaths of processes, and now and then unreachable
/// or silent about what it did.
final class SimulatedIndex: SnapshottingIndex {
    /// How calls go wrong, each with a likelihood.
    struct Weather: Sendable {
        /// Nothing is done, and the index says so.
        var refuses = 0.0
        /// A commit that is done and whose answer is lost.
        var losesAnswers = 0.0
        /// A commit that is not done, and the index cannot tell.
        var losesRequests = 0.0
        /// Outcomes cannot be asked for.
        var forgetsOutcomes = 0.0
        var isSlow = 0.0

        static let fair = Weather()
    }

    private struct State {
        var weather = Weather.fair
        var committed: [(transaction: Transaction, version: CommitVersion)] = []
    }

    let memory: MemoryIndex
    private let host: SimulatedHost
    private let state = Mutex(State())

    init(_ memory: MemoryIndex, _ host: SimulatedHost) {
        (self.memory, self.host) = (memory, host)
    }

    func change(_ change: (inout Weather) -> Void) {
        state.withLock { change(&$0.weather) }
    }

    /// What was committed so far, in order.
    var committed: [(transaction: Transaction, version: CommitVersion)] { state.withLock { $0.committed } }

    func values(of keys: [Key]) async throws(MetadataError) -> [Entry?] {
        try await begin()
        let values = try await memory.values(of: keys)
        await host.scheduler.pause()
        return values
    }

    func pages(of scans: [Scan]) async throws(MetadataError) -> [Page] {
        try await begin()
        let pages = try await memory.pages(of: scans)
        await host.scheduler.pause()
        return pages
    }

    func commit(_ transaction: Transaction) async throws(MetadataError) -> CommitVersion {
        let weather = try await begin()
        if host.chance(weather.losesRequests) { throw .unknown("the simulation lost the request") }
        let version = try await memory.commit(transaction)
        state.withLock { $0.committed.append((transaction, version)) }
        await host.scheduler.pause()
        if host.chance(weather.losesAnswers) { throw .unknown("the simulation lost the answer") }
        return version
    }

    func outcome(of transaction: TransactionID) async throws(MetadataError) -> CommitVersion? {
        let weather = try await begin()
        if host.chance(weather.forgetsOutcomes) { throw .notCommitted("the simulation does not answer") }
        return try await memory.outcome(of: transaction)
    }

    func changes(after: CommitVersion, limit: Int) async throws(MetadataError) -> [Change] {
        try await begin()
        return try await memory.changes(after: after, limit: limit)
    }

    func snapshot() async throws(MetadataError) -> any IndexSnapshot { try await memory.snapshot() }

    func kept() async throws(MetadataError) -> KeptChanges { try await memory.kept() }

    func keepChanges(after mark: JournalMark) async throws(MetadataError) {
        try await begin()
        try await memory.keepChanges(after: mark)
    }

    @discardableResult
    private func begin() async throws(MetadataError) -> Weather {
        if host.chance(state.withLock { $0.weather.isSlow }) { await host.delay(upTo: .milliseconds(300)) }
        await host.scheduler.pause()
        // As it is by now: a call that was long under way does not fail of what was wrong before.
        let weather = state.withLock { $0.weather }
        if host.chance(weather.refuses) { throw .notCommitted("the simulation refuses") }
        return weather
    }
}
