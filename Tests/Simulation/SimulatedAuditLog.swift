import Audit
import Synchronization

/// What a simulated audit log has on its disk: it outlives processes, and a crash of the host cuts what was not synced.
final class SimulatedLogDisk: Sendable {
    private struct State {
        var lines: [[UInt8]] = []
        var synced = 0
        var refuses = 0.0
    }

    private let host: SimulatedHost
    private let state = Mutex(State())

    init(_ host: SimulatedHost) {
        self.host = host
    }

    /// How likely an append fails.
    var refuses: Double {
        get { state.withLock { $0.refuses } }
        set { state.withLock { $0.refuses = newValue } }
    }

    var lines: [[UInt8]] { state.withLock { $0.lines } }

    /// Loses some of what was not synced, from the end.
    func crash() {
        state.withLock { state in
            guard state.synced < state.lines.count else { return }
            let kept = host.number(state.synced...state.lines.count)
            state.lines.removeLast(state.lines.count - kept)
        }
    }

    fileprivate func append(_ make: (_ count: Int, _ last: [UInt8]?) -> [UInt8]) -> Int {
        state.withLock { state in
            state.lines.append(make(state.lines.count, state.lines.last))
            return state.lines.count - 1
        }
    }

    fileprivate func sync() {
        state.withLock { $0.synced = $0.lines.count }
    }

    fileprivate var syncedLine: (number: Int, line: [UInt8])? {
        state.withLock { $0.synced > 0 ? ($0.synced - 1, $0.lines[$0.synced - 1]) : nil }
    }
}

/// The audit log of one simulated process.
final class SimulatedAuditLog: AuditSink {
    static let node = "simulated"

    private let disk: SimulatedLogDisk
    private let host: SimulatedHost
    private let epoch: UInt32
    /// The places of the records of batches, by their ids.
    private let indices: Mutex<[String: AuditIndex]>

    init(_ disk: SimulatedLogDisk, epoch: UInt32, _ host: SimulatedHost) {
        (self.disk, self.epoch, self.host) = (disk, epoch, host)
        var indices: [String: AuditIndex] = [:]
        for (number, line) in disk.lines.enumerated().suffix(AuditBatch.rememberedCount) {
            guard let record = LinkedRecord(line: line) else { continue }
            indices[record.eventID] = AuditIndex(sequence: UInt64(number))
        }
        self.indices = Mutex(indices)
    }

    var head: AuditHead? {
        disk.syncedLine.map { AuditHead(sequence: UInt64($0.number), hash: RecordHash.of($0.line)) }
    }

    var acceptsMutations: Bool { true }

    func append(_ record: AuditRecord, durability: AuditDurability) async throws(AuditError) -> AuditIndex {
        let linkable = try LinkableRecord(record)
        try await begin()
        let index = append(linkable)
        if durability == .strict { try await end() }
        return index
    }

    func append(contentsOf records: [AuditRecord]) async throws(AuditError) -> [AuditIndex] {
        guard records.count <= AuditBatch.maximumCount else { throw .tooLarge(records.count) }
        var linkable: [LinkableRecord] = []
        for record in records { linkable.append(try LinkableRecord(record)) }
        try await begin()
        var found: [AuditIndex] = []
        for record in linkable {
            let known = indices.withLock { $0[record.record.eventID] }
            let index = known ?? append(record)
            indices.withLock { $0[record.record.eventID] = index }
            found.append(index)
        }
        try await end()
        return found
    }

    private func append(_ record: LinkableRecord) -> AuditIndex {
        let number = disk.append { count, last in
            let previous = last.map { RecordHash.of($0) } ?? ChainLink.origin
            return record.linked(
                ChainLink(sequence: UInt64(count), node: Self.node, epoch: epoch, previous: previous))
        }
        return AuditIndex(sequence: UInt64(number))
    }

    private func begin() async throws(AuditError) {
        await host.scheduler.pause()
        if host.chance(disk.refuses) { throw .unavailable("the simulation refuses") }
    }

    private func end() async throws(AuditError) {
        await host.scheduler.pause()
        if host.chance(disk.refuses) { throw .unavailable("the simulation fails to sync") }
        disk.sync()
    }
}
