import Erasure
import NIOCore
import Primitives
import Storage

/// What a `StripeGather` decides, without waiting: each call returns whom to resume and whom to cancel outside the
/// lock.
struct StripeGatherState {
    typealias Waiter = CheckedContinuation<Void, Never>

    enum Step {
        case cells([Int: GatheredCell])
        case start([GatherReader])
        case failed(StorageError)
        case wait
    }

    private struct Reader {
        var plan: GatherReader
        var next: Int64
        var hasEnded = false
        /// Others are read beside it.
        var isSlow = false
        var progress: UInt64 = 0
        var waiter: Waiter?
        var task: Task<Void, Never>?

        func covers(_ stripe: Int64) -> Bool { !hasEnded && next <= stripe && stripe < plan.stripes.upperBound }
    }

    private let plan: GatherPlan
    private var readers: [Reader] = []
    /// The stripe that the owner waits for.
    private var position: Int64
    /// The cells of the stripes from `position` on, by shard.
    private var cells: [[Int: GatheredCell]]
    /// Shards whose cell of a stripe is corrupt.
    private var corrupt: [Int64: Set<Int>] = [:]
    private var lost: [Int: StorageError] = [:]
    private var damage: [ShardDamage] = []
    private var owner: Waiter?
    private var isClosed = false

    init(_ plan: GatherPlan) {
        self.plan = plan
        position = plan.stripes.lowerBound
        cells = Array(repeating: [:], count: plan.window)
        for home in plan.homes where home.store == nil { lost[home.index] = .notFound }
    }

    // MARK: The owner

    mutating func take(_ stripe: Int64, wanted: UInt64, now: UInt64) -> (Step, [Waiter]) {
        guard !isClosed else { return (.failed(.sink(BodyError(.cancelled, "The read was cancelled."))), []) }
        hasNews = false
        if readers.isEmpty, !plan.first.isEmpty {
            return (.start(plan.first.sorted { $0.key < $1.key }.map { add($0.key, $0.value, now: now) }), [])
        }
        let good = cells[slot(stripe)]
        let missing = (0..<plan.homes.count).filter { wanted >> UInt64($0) & 1 == 1 && good[$0] == nil }
        if missing.isEmpty || good.count >= plan.dataShards { return (.cells(good), advance(past: stripe, now: now)) }
        let pending = Set(readers.filter { $0.covers(stripe) }.map(\.plan.home.index)).subtracting(good.keys)
        let slow = Set(readers.filter { $0.covers(stripe) && $0.isSlow }.map(\.plan.home.index))
        if missing.allSatisfy({ pending.contains($0) && !slow.contains($0) }) { return (.wait, []) }
        let expected = good.count + pending.subtracting(slow).count
        if expected >= plan.dataShards { return (.wait, []) }
        let free = plan.candidates.filter {
            good[$0] == nil && !pending.contains($0) && lost[$0] == nil && corrupt[stripe]?.contains($0) != true
        }
        if good.count + pending.count + free.count < plan.dataShards { return (.failed(failure(stripe)), []) }
        if free.isEmpty { return (.wait, []) }
        let readers = free.prefix(plan.dataShards - expected).map { shard in
            add(shard, stripe..<end(of: shard, from: stripe), now: now)
        }
        return (.start(readers), [])
    }

    /// Where a new reader of a shard ends: where another one of it begins, or at the end.
    private func end(of shard: Int, from stripe: Int64) -> Int64 {
        let begins = readers.filter { $0.plan.home.index == shard && !$0.hasEnded && $0.next > stripe }.map(\.next)
        return begins.min() ?? plan.stripes.upperBound
    }

    private mutating func add(_ shard: Int, _ stripes: Range<Int64>, now: UInt64) -> GatherReader {
        let reader = GatherReader(number: readers.count, home: plan.homes[shard], stripes: stripes)
        readers.append(Reader(plan: reader, next: stripes.lowerBound, progress: now))
        return reader
    }

    private mutating func advance(past stripe: Int64, now: UInt64) -> [Waiter] {
        cells[slot(stripe)] = [:]
        corrupt[stripe] = nil
        position = stripe + 1
        for index in readers.indices where readers[index].waiter != nil { readers[index].progress = now }
        return readers.indices.compactMap { Self.take(&readers[$0].waiter) }
    }

    /// Why fewer than k cells of a stripe can be had.
    private func failure(_ stripe: Int64) -> StorageError {
        let isAway = lost.values.contains {
            switch $0 {
            case .notFound, .corrupt, .invalidRange: false
            default: true
            }
        }
        let up = plan.homes.count - Set(lost.keys).union(corrupt[stripe] ?? []).count
        if isAway { return .quorum(up: up, needed: plan.dataShards) }
        // More than m stores have no such shard, and none has shown one.
        let isGone =
            cells[slot(stripe)].isEmpty && lost.values.allSatisfy { if case .notFound = $0 { true } else { false } }
        if isGone { return .notFound }
        let bad = corrupt[stripe].map { "\($0.sorted())" } ?? "[]"
        return .corrupt("stripe \(stripe): shards \(lost.keys.sorted()) are lost and \(bad) corrupt")
    }

    private func slot(_ stripe: Int64) -> Int { Int(stripe % Int64(plan.window)) }

    mutating func ownerWaits(_ continuation: Waiter) -> Bool {
        guard !isClosed, !hasNews else {
            hasNews = false
            return false
        }
        owner = continuation
        return true
    }

    /// Whether something changed since the owner looked last.
    private var hasNews = false

    private mutating func wakeOwner() -> Waiter? {
        if let owner = Self.take(&owner) { return owner }
        hasNews = true
        return nil
    }

    // MARK: The readers

    /// False where nobody waits any more.
    mutating func began(_ reader: Int, _ task: Task<Void, Never>) -> Bool {
        guard !isClosed else { return false }
        if !readers[reader].hasEnded { readers[reader].task = task }
        return true
    }

    /// Takes cells, and returns those that there is no room for yet; nil where no more are wanted.
    mutating func deliver(
        _ reader: Int, _ delivered: ArraySlice<GatheredCell?>, now: UInt64
    ) -> (rest: ArraySlice<GatheredCell?>?, owner: Waiter?) {
        guard !isClosed, !readers[reader].hasEnded else { return (nil, nil) }
        var delivered = delivered
        let shard = readers[reader].plan.home.index
        var isNews = false
        readers[reader].progress = now
        while let cell = delivered.first, readers[reader].next < position + Int64(plan.window) {
            delivered = delivered.dropFirst()
            let stripe = readers[reader].next
            readers[reader].next += 1
            readers[reader].isSlow = false
            if cell == nil { note(shard, .corrupt("the cell of stripe \(stripe) fails its check")) }
            guard stripe >= position else { continue }
            if let cell {
                cells[slot(stripe)][shard] = cell
            } else {
                corrupt[stripe, default: []].insert(shard)
            }
            if stripe == position { isNews = true }
        }
        return (delivered, isNews ? wakeOwner() : nil)
    }

    mutating func readerWaits(_ reader: Int, _ continuation: Waiter) -> Bool {
        guard !isClosed, !readers[reader].hasEnded, readers[reader].next >= position + Int64(plan.window) else {
            return false
        }
        readers[reader].waiter = continuation
        return true
    }

    mutating func ended(_ reader: Int, _ error: StorageError?) -> Waiter? {
        guard !isClosed, !readers[reader].hasEnded else { return nil }
        readers[reader].hasEnded = true
        readers[reader].task = nil
        let isShort = readers[reader].next < readers[reader].plan.stripes.upperBound
        if let error = error ?? (isShort ? .corrupt("the store gave too few bytes") : nil) {
            lose(readers[reader].plan.home.index, error)
        }
        return wakeOwner()
    }

    private mutating func lose(_ shard: Int, _ error: StorageError) {
        guard lost[shard] == nil else { return }
        lost[shard] = error
        note(shard, error)
    }

    private mutating func note(_ shard: Int, _ error: StorageError) {
        let noted = ShardDamage(plan.homes[shard], error)
        guard !damage.contains(where: { $0.index == noted.index && $0.kind == noted.kind }) else { return }
        damage.append(noted)
    }

    private var reported = 0

    mutating func takeDamage() -> [ShardDamage] {
        defer { reported = damage.count }
        return Array(damage[reported...])
    }

    // MARK: The end

    mutating func close() -> (tasks: [Task<Void, Never>], waiters: [Waiter]) {
        guard !isClosed else { return ([], []) }
        isClosed = true
        cells = Array(repeating: [:], count: plan.window)
        var waiters = readers.indices.compactMap { Self.take(&readers[$0].waiter) }
        if let owner = Self.take(&owner) { waiters.append(owner) }
        return (readers.compactMap(\.task), waiters)
    }

    /// Marks what is slow, and gives up what hangs.
    mutating func check(
        now: UInt64, _ limits: StripeGather.Limits
    ) -> (tasks: [Task<Void, Never>], waiters: [Waiter]) {
        var (tasks, isNews): ([Task<Void, Never>], Bool) = ([], false)
        for index in readers.indices where readers[index].covers(position) && now > readers[index].progress {
            let waited = now - readers[index].progress
            if waited > limits.deadline {
                readers[index].hasEnded = true
                if let task = readers[index].task { tasks.append(task) }
                lose(readers[index].plan.home.index, .unavailable("no answer within the deadline"))
                isNews = true
            } else if waited > limits.hedge, !readers[index].isSlow {
                readers[index].isSlow = true
                isNews = true
            }
        }
        return (tasks, isNews ? [wakeOwner()].compactMap { $0 } : [])
    }

    private static func take(_ waiter: inout Waiter?) -> Waiter? {
        defer { waiter = nil }
        return waiter
    }
}
