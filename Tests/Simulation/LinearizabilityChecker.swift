/// Decides whether a history can have happened: whether its operations have an order in which each answer is one that
/// the model gives, and in which none comes before one that had ended when it began.
///
/// The search is Wing and Gong's ("Testing and verifying concurrent objects", 1993) with Lowe's memory of the states
/// that were tried in vain ("Testing for linearizability", 2017). An operation that changes nothing and whose answer
/// fits is taken at once, since no order is lost by that; and the order in which the index committed is tried first, so
/// that a history of a gateway that is right costs little.
struct LinearizabilityChecker {
    enum Verdict: Equatable {
        case linearizable
        /// No order fits.
        case violated(Attempt)
        /// The search was given up.
        case undecided(Attempt)

        /// How far the search came; nil where it came to the end.
        var attempt: Attempt? {
            switch self {
            case .linearizable: nil
            case .violated(let attempt), .undecided(let attempt): attempt
            }
        }
    }

    /// The longest order that was found.
    struct Attempt: Equatable {
        /// How many operations with an answer are in it.
        var length = -1
        /// What the bucket holds after it.
        var state = ModelBucket()
        /// The operations of which none could follow, by their positions.
        var stuck: [Int] = []
    }

    /// An operation is known by its position in the history.
    private struct Taken: Hashable {
        var words: [UInt64]

        init(count: Int) { words = [UInt64](repeating: 0, count: (count + 63) / 64) }

        func contains(_ position: Int) -> Bool { words[position >> 6] & (1 << UInt64(position & 63)) != 0 }

        mutating func insert(_ position: Int) { words[position >> 6] |= 1 << UInt64(position & 63) }
    }

    private struct Situation: Hashable {
        var taken: Taken
        var state: ModelBucket
    }

    private struct Frame {
        var situation: Situation
        var choices: [Situation]
    }

    private let operations: [Operation]
    /// Positions by when they began.
    private let byInvocation: [Int]
    /// Positions of operations with an answer, by when that came.
    private let byReturn: [Int]
    /// Whether an operation is a read, or was refused.
    private let changesNothing: [Bool]
    private let bytes: ContentCache
    private let mostSituations: Int

    /// - Parameter operations: reads without an answer say nothing, and are left out by the caller or cost time.
    init(_ operations: [Operation], _ bytes: ContentCache, mostSituations: Int = 100_000) {
        (self.operations, self.bytes, self.mostSituations) = (operations, bytes, mostSituations)
        changesNothing = operations.map { operation in
            if case .refused = operation.answer { true } else { operation.answer != nil && !operation.call.isMutation }
        }
        byInvocation = operations.indices.sorted { operations[$0].invoked < operations[$1].invoked }
        byReturn = operations.indices.filter { operations[$0].returned != nil }
            .sorted { (operations[$0].returned ?? 0) < (operations[$1].returned ?? 0) }
    }

    func check(from state: ModelBucket = ModelBucket()) -> Verdict {
        var seen: Set<Situation> = []
        var longest = Attempt()
        let start = advance(Situation(taken: Taken(count: operations.count), state: state))
        guard let choices = choices(start) else { return .linearizable }
        var stack = [Frame(situation: start, choices: choices)]
        while let last = stack.indices.last {
            guard let next = stack[last].choices.popLast() else {
                stack.removeLast()
                continue
            }
            let situation = advance(next)
            guard seen.insert(situation).inserted else { continue }
            guard seen.count < mostSituations else { return .undecided(longest) }
            guard let choices = self.choices(situation) else { return .linearizable }
            if choices.isEmpty { note(situation, &longest) }
            stack.append(Frame(situation: situation, choices: choices))
        }
        note(start, &longest)
        return .violated(longest)
    }

    private func note(_ situation: Situation, _ longest: inout Attempt) {
        let length = byReturn.count { situation.taken.contains($0) }
        guard length > longest.length else { return }
        longest = Attempt(length: length, state: situation.state, stuck: candidates(situation.taken))
    }

    /// Operations that may come next: those that began before any that is still to come has ended.
    private func candidates(_ taken: Taken) -> [Int] {
        guard let first = byReturn.first(where: { !taken.contains($0) }), let end = operations[first].returned else {
            return []
        }
        var found: [Int] = []
        for position in byInvocation {
            guard operations[position].invoked <= end else { break }
            if !taken.contains(position) { found.append(position) }
        }
        return found
    }

    /// Takes what changes nothing and fits, for as long as there is such an operation.
    private func advance(_ situation: Situation) -> Situation {
        var situation = situation
        var isDone = false
        while !isDone {
            isDone = true
            for position in candidates(situation.taken) where changesNothing[position] {
                var state = situation.state
                guard state.apply(operations[position].call, operations[position].answer, bytes) else { continue }
                // What it told of ids is known from now on.
                situation.state = state
                situation.taken.insert(position)
                isDone = false
            }
        }
        return situation
    }

    /// What may follow, the likeliest last; nil where every operation with an answer was taken.
    private func choices(_ situation: Situation) -> [Situation]? {
        let candidates = candidates(situation.taken)
        guard byReturn.contains(where: { !situation.taken.contains($0) }) else { return nil }
        var found: [(place: Int, Situation)] = []
        for position in candidates {
            let operation = operations[position]
            var next = situation
            guard next.state.apply(operation.call, operation.answer, bytes) else { continue }
            next.taken.insert(position)
            // What stays open and was never committed comes last, or never.
            let place = operation.commit ?? (operation.answer == nil ? Int.max : -1)
            // What stays open and changes nothing may as well never come; but where the index tells its place, it is
            // over with now, and does not come later, where it would change something.
            if operation.answer != nil || place < .max || next.state != situation.state { found.append((place, next)) }
        }
        return found.sorted { $0.place > $1.place }.map(\.1)
    }
}
