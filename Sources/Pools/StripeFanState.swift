import Erasure
import NIOCore
import Primitives
import Storage

/// What a `StripeFan` decides, without waiting: each call returns whom to resume and whom to cancel outside the lock.
struct StripeFanState {
    typealias Waiter = CheckedContinuation<Void, Never>

    struct Actions {
        var resumed: [Waiter] = []
        var cancelled: [Task<Void, Never>] = []
    }

    enum Outcome {
        case pieces([ByteBuffer])
        case failed(BodyError)
        case wait
    }

    private enum End {
        case footers([ByteBuffer])
        case failed(BodyError)
    }

    private struct Consumer {
        var header: ByteBuffer?
        /// The next stripe that it takes.
        var next: Int64 = 0
        var hasFooter = false
        var hasEnded = false
        var error: StorageError?
        var waiter: Waiter?
        /// Since when it works on what it was given; nil while it waits for more.
        var busySince: UInt64?
        /// How long it alone held up the others, in nanoseconds.
        var heldUp: UInt64 = 0
        var task: Task<Void, Never>?
    }

    /// Stripes between the fastest writer and the slowest.
    private let mostStripes: Int
    /// Small pieces are joined up to this many bytes, so that a small shard is one buffer.
    private static let joinedBytes = 64 << 10

    private var consumers: [Consumer]
    private let needed: Int
    /// Whether these shards are enough without the one that alone holds them up; nil where none is left behind.
    private let areEnough: (@Sendable ([Int]) -> Bool)?
    private let began: UInt64
    private var lastLook: UInt64
    /// Writers that were left behind since they alone held up the others.
    private(set) var stragglers: [Int] = []
    private var stripes: [SealedStripe] = []
    private var firstStripe: Int64 = 0
    private var end: End?
    private var producer: Waiter?
    private var closer: Waiter?

    init(
        headers: [ByteBuffer?], needed: Int, areEnough: (@Sendable ([Int]) -> Bool)?, mostStripes: Int, now: UInt64
    ) {
        (self.needed, self.areEnough, self.mostStripes) = (needed, areEnough, mostStripes)
        (began, lastLook) = (now, now)
        consumers = headers.map { header in
            guard let header else { return Consumer(hasEnded: true, error: .unavailable("no store can take it")) }
            return Consumer(header: header, busySince: now)
        }
    }

    var errors: [StorageError?] { consumers.map(\.error) }
    private var live: Int { consumers.count { $0.error == nil } }

    var producerError: StorageError? {
        if case .failed(let error) = end { return .source(error) }
        return live < needed ? Self.shortage(errors, up: live, needed: needed) : nil
    }

    /// Why too few shards can be written: the stores have no room, where with those that lack it there would have been
    /// enough of them.
    static func shortage(_ errors: [StorageError?], up: Int, needed: Int) -> StorageError {
        let full = errors.count { if case .full? = $0 { true } else { false } }
        return up + full >= needed && full > 0 ? .full : .quorum(up: up, needed: needed)
    }

    mutating func publish(_ stripe: SealedStripe) -> Actions {
        stripes.append(stripe)
        return Actions(resumed: takeConsumers())
    }

    mutating func finish(last: SealedStripe?, footers: [ByteBuffer]) -> Actions {
        if let last { stripes.append(last) }
        if end == nil { end = .footers(footers) }
        return Actions(resumed: takeConsumers())
    }

    mutating func fail(_ error: BodyError) -> Actions {
        guard end == nil else { return Actions() }
        end = .failed(error)
        stripes = []
        var actions = Actions(resumed: takeConsumers())
        if let producer = Self.take(&producer) { actions.resumed.append(producer) }
        return actions
    }

    mutating func began(_ shard: Int, _ task: Task<Void, Never>) {
        guard !consumers[shard].hasEnded else { return }
        consumers[shard].task = task
    }

    mutating func producerWaits(_ continuation: Waiter) -> Bool {
        guard end == nil, stripes.count >= mostStripes, live >= needed else { return false }
        producer = continuation
        return true
    }

    mutating func consumerWaits(_ shard: Int, _ continuation: Waiter) -> Bool {
        guard !hasMore(shard), !consumers[shard].hasEnded else { return false }
        consumers[shard].waiter = continuation
        return true
    }

    mutating func closerWaits(_ continuation: Waiter) -> Bool {
        guard consumers.contains(where: { !$0.hasEnded }) else { return false }
        closer = continuation
        return true
    }

    private func hasMore(_ shard: Int) -> Bool {
        end != nil || consumers[shard].next < firstStripe + Int64(stripes.count)
    }

    /// What the writer of a shard gets now.
    mutating func take(_ shard: Int, now: UInt64) -> (outcome: Outcome, actions: Actions) {
        guard !consumers[shard].hasEnded else {
            return (.failed(BodyError(.timedOut, "The store was given up.")), Actions())
        }
        if case .failed(let error) = end { return (.failed(error), Actions()) }
        guard hasMore(shard) else {
            consumers[shard].busySince = nil
            return (.wait, Actions())
        }
        consumers[shard].busySince = now
        var pieces: [ByteBuffer] = []
        var bytes = 0
        if let header = consumers[shard].header {
            consumers[shard].header = nil
            pieces.append(header)
            bytes += header.readableBytes
        }
        while bytes < Self.joinedBytes, consumers[shard].next < firstStripe + Int64(stripes.count) {
            let piece = stripes[Int(consumers[shard].next - firstStripe)].piece(shard)
            consumers[shard].next += 1
            pieces.append(piece)
            bytes += piece.readableBytes
        }
        let isAtEnd = consumers[shard].next == firstStripe + Int64(stripes.count)
        if case .footers(let footers) = end, isAtEnd, !consumers[shard].hasFooter {
            consumers[shard].hasFooter = true
            pieces.append(footers[shard])
        }
        return (.pieces(pieces), Actions(resumed: freed()))
    }

    mutating func complete(_ shard: Int, _ error: StorageError?) -> (accepted: Bool, actions: Actions) {
        guard !consumers[shard].hasEnded else { return (false, Actions()) }
        consumers[shard].hasEnded = true
        consumers[shard].task = nil
        consumers[shard].error =
            error ?? (consumers[shard].hasFooter ? nil : .unavailable("the store did not read its body to the end"))
        return (consumers[shard].error == nil, Actions(resumed: freed() + closed()))
    }

    /// Gives up the writers whose store made no progress for too long, and one that alone has held up the others for
    /// too long and for most of the time.
    mutating func giveUp(now: UInt64, _ limits: StripeFan.Limits) -> Actions {
        var actions = Actions()
        for shard in consumers.indices where !consumers[shard].hasEnded {
            guard let since = consumers[shard].busySince, now > since, now - since > limits.deadline else { continue }
            giveUp(shard, "no progress within the deadline", &actions)
        }
        if let straggler = straggler(now: now, limits) {
            stragglers.append(straggler)
            giveUp(straggler, "slower than all the others", &actions)
        }
        actions.resumed += freed() + closed()
        return actions
    }

    private mutating func giveUp(_ shard: Int, _ reason: String, _ actions: inout Actions) {
        consumers[shard].hasEnded = true
        consumers[shard].error = .unavailable(reason)
        if let task = consumers[shard].task { actions.cancelled.append(task) }
        consumers[shard].task = nil
        if let waiter = Self.take(&consumers[shard].waiter) { actions.resumed.append(waiter) }
    }

    /// What lies between two looks counts up to so many nanoseconds: nobody knows what was in between.
    private static let longestLook: UInt64 = 250_000_000

    /// Adds up how long one writer alone has held up the others; returns it where that is too long.
    private mutating func straggler(now: UInt64, _ limits: StripeFan.Limits) -> Int? {
        let look = min(now > lastLook ? now - lastLook : 0, Self.longestLook)
        lastLook = now
        guard let shard = alone() else { return nil }
        consumers[shard].heldUp += look
        let (heldUp, whole) = (consumers[shard].heldUp, now > began ? now - began : 0)
        return heldUp > limits.straggler && heldUp / 3 > whole - min(whole, heldUp) ? shard : nil
    }

    /// The writer for which everybody waits: all the others have ended or taken what there is, and there can be no more
    /// before it goes on.
    private func alone() -> Int? {
        guard let areEnough else { return nil }
        let isAtEnd: Bool
        switch end {
        case .failed: return nil
        case .footers: isAtEnd = true
        case nil:
            guard stripes.count >= mostStripes else { return nil }
            isAtEnd = false
        }
        var (found, others): (Int?, [Int]) = (nil, [])
        for shard in consumers.indices {
            if consumers[shard].hasEnded {
                if consumers[shard].error == nil { others.append(shard) }
            } else if !isAtEnd, consumers[shard].busySince == nil {
                others.append(shard)
            } else if found == nil {
                found = shard
            } else {
                return nil
            }
        }
        return found != nil && areEnough(others) ? found : nil
    }

    /// Drops the stripes that every live writer has taken, and lets the producer go on.
    private mutating func freed() -> [Waiter] {
        // Once for every buffer that a store takes: without making lists.
        var slowest = Int64.max
        for shard in consumers.indices where !consumers[shard].hasEnded {
            slowest = min(slowest, consumers[shard].next)
        }
        while firstStripe < slowest, !stripes.isEmpty {
            stripes.removeFirst()
            firstStripe += 1
        }
        guard stripes.count < mostStripes || live < needed, let producer = Self.take(&producer) else { return [] }
        return [producer]
    }

    private mutating func closed() -> [Waiter] {
        guard !consumers.contains(where: { !$0.hasEnded }), let closer = Self.take(&closer) else { return [] }
        return [closer]
    }

    private mutating func takeConsumers() -> [Waiter] {
        consumers.indices.compactMap { Self.take(&consumers[$0].waiter) }
    }

    private static func take(_ waiter: inout Waiter?) -> Waiter? {
        defer { waiter = nil }
        return waiter
    }
}
