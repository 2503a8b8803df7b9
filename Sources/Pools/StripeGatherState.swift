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
        let began: UInt64
        /// Whether it was begun beside a slow one.
        var isHedge = false
        var hasEnded = false
        var hasAnswered = false
        /// When its store is said to be late, for the first time or once more; a wait from the beginning.
        var lateAfter: UInt64
        /// Others are to be read beside it.
        var isSlow = false
        var progress: UInt64
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
    private var hasHedged = false
    /// The stripe for which readers beside slow ones were refused, until some are begun.
    private var refusedAt: Int64?
    private var won = 0

    init(_ plan: GatherPlan) {
        self.plan = plan
        position = plan.stripes.lowerBound
        cells = Array(repeating: [:], count: plan.window)
        for home in plan.homes where home.store == nil { lost[home.index] = .notFound }
    }

    // MARK: The owner

    /// - Parameter hedge: says how many of so many readers may be begun beside slow ones, and is told whether they were
    ///   refused already.
    mutating func take(
        _ stripe: Int64, wanted: UInt64, now: UInt64, hedge: (_ readers: Int, _ isRepeated: Bool) -> Int
    ) -> (Step, [Waiter]) {
        guard !isClosed else { return (.failed(.sink(BodyError(.cancelled, "The read was cancelled."))), []) }
        hasNews = false
        if readers.isEmpty, !plan.first.isEmpty {
            return (.start(plan.first.sorted { $0.key < $1.key }.map { add($0.key, $0.value, now: now) }), [])
        }
        let good = cells[slot(stripe)]
        let missing = (0..<plan.homes.count).filter { wanted >> UInt64($0) & 1 == 1 && good[$0] == nil }
        if missing.isEmpty || good.count >= plan.dataShards {
            if hasHedged { noteWins(good, wanted: wanted) }
            return (.cells(good), advance(past: stripe, now: now))
        }
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
        let asked = min(free.count, plan.dataShards - expected)
        // Those for cells that no reader is under way for are needed whatever is slow.
        let needed = min(asked, max(0, plan.dataShards - good.count - pending.count))
        let hedges = needed < asked ? hedge(asked - needed, refusedAt == stripe) : 0
        refusedAt = hedges < asked - needed ? stripe : nil
        if needed + hedges == 0 { return (.wait, []) }
        hasHedged = hasHedged || hedges > 0
        let readers = free.prefix(needed + hedges).enumerated().map { number, shard in
            add(shard, stripe..<end(of: shard, from: stripe), now: now, isHedge: number >= needed)
        }
        return (.start(readers), [])
    }

    /// Counts the readers that were begun beside slow ones, and without whose cells a stripe would have to wait.
    private mutating func noteWins(_ good: [Int: GatheredCell], wanted: UInt64) {
        let hedges = readers.indices.filter { readers[$0].isHedge && good[readers[$0].plan.home.index] != nil }
        let others = Set(good.keys).subtracting(hedges.map { readers[$0].plan.home.index })
        let isWhole = (0..<plan.homes.count).allSatisfy { wanted >> UInt64($0) & 1 == 0 || others.contains($0) }
        if isWhole || others.count >= plan.dataShards { return }
        for index in hedges { readers[index].isHedge = false }
        won += hedges.count
    }

    /// Where a new reader of a shard ends: where another one of it begins, or at the end.
    private func end(of shard: Int, from stripe: Int64) -> Int64 {
        let begins = readers.filter { $0.plan.home.index == shard && !$0.hasEnded && $0.next > stripe }.map(\.next)
        return begins.min() ?? plan.stripes.upperBound
    }

    private mutating func add(
        _ shard: Int, _ stripes: Range<Int64>, now: UInt64, isHedge: Bool = false
    ) -> GatherReader {
        let reader = GatherReader(number: readers.count, home: plan.homes[shard], stripes: stripes, isHedge: isHedge)
        readers.append(
            Reader(
                plan: reader, next: stripes.lowerBound, began: now, isHedge: isHedge, lateAfter: plan.patience,
                progress: now))
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

    /// What a reader is told of the cells that it delivers.
    struct Delivery {
        /// Those that there is no room for yet; nil where no more are wanted.
        var rest: ArraySlice<GatheredCell?>?
        var owner: Waiter?
        /// How long its store took to answer, where these are its first cells.
        var answer: StoreAnswer?
    }

    mutating func deliver(_ reader: Int, _ delivered: ArraySlice<GatheredCell?>, now: UInt64) -> Delivery {
        guard !isClosed, !readers[reader].hasEnded else { return Delivery() }
        var delivered = delivered
        let answer = answer(of: reader, now: now)
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
        return Delivery(rest: delivered, owner: isNews ? wakeOwner() : nil, answer: answer)
    }

    /// The first answer of a reader; nil for a later one, and for one of which it was said already that it is late.
    private mutating func answer(of reader: Int, now: UInt64) -> StoreAnswer? {
        guard !readers[reader].hasAnswered else { return nil }
        readers[reader].hasAnswered = true
        guard readers[reader].lateAfter == plan.patience else { return nil }
        return unanswered(reader, now: now)
    }

    /// How long a reader has waited.
    private func unanswered(_ reader: Int, now: UInt64) -> StoreAnswer? {
        readers[reader].plan.home.store.map {
            StoreAnswer(store: $0, time: now > readers[reader].began ? now - readers[reader].began : 0)
        }
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

    /// What is left to be done at the end, and what is to be noted.
    struct Closing {
        var tasks: [Task<Void, Never>] = []
        var waiters: [Waiter] = []
        /// Stores whose answers are not waited for any longer.
        var unheard: [StoreAnswer] = []
        /// Readers beside slow ones whose cells came first.
        var won = 0
    }

    mutating func close(now: UInt64) -> Closing {
        guard !isClosed else { return Closing() }
        isClosed = true
        let unheard = readers.indices.filter { !readers[$0].hasEnded && !readers[$0].hasAnswered }
        cells = Array(repeating: [:], count: plan.window)
        var waiters = readers.indices.compactMap { Self.take(&readers[$0].waiter) }
        if let owner = Self.take(&owner) { waiters.append(owner) }
        return Closing(
            tasks: readers.compactMap(\.task), waiters: waiters,
            unheard: unheard.compactMap { unanswered($0, now: now) }, won: won)
    }

    /// Marks what is slow, and gives up what hangs; names the stores that are late.
    mutating func check(
        now: UInt64, _ limits: StripeGather.Limits
    ) -> (tasks: [Task<Void, Never>], waiters: [Waiter], late: [StoreAnswer]) {
        // What was refused may be granted by now.
        var (tasks, isNews, late): ([Task<Void, Never>], Bool, [StoreAnswer]) = ([], refusedAt == position, [])
        for index in readers.indices where readers[index].covers(position) && now > readers[index].progress {
            let waited = now - readers[index].progress
            if waited > limits.deadline {
                readers[index].hasEnded = true
                if let task = readers[index].task { tasks.append(task) }
                lose(readers[index].plan.home.index, .unavailable("no answer within the deadline"))
                isNews = true
                continue
            }
            if !readers[index].hasAnswered, waited > readers[index].lateAfter {
                readers[index].lateAfter = 2 * waited
                if let answer = unanswered(index, now: now) { late.append(answer) }
            }
            if waited > (readers[index].hasAnswered ? limits.hedge : plan.patience), !readers[index].isSlow {
                readers[index].isSlow = true
                isNews = true
            }
        }
        return (tasks, isNews ? [wakeOwner()].compactMap { $0 } : [], late)
    }

    private static func take(_ waiter: inout Waiter?) -> Waiter? {
        defer { waiter = nil }
        return waiter
    }
}
