import Metadata
import Synchronization
import Testing

@testable import IndexBackup

/// Who is told what when a pass of the journal ends.
@Suite("The journal's passes")
struct JournalStateTests {
    /// Callers of one journal.
    private final class Callers: Sendable {
        private let state = Mutex(JournalState(now: 0))

        /// Asks for a commit to be in the journal, and returns once that is noted.
        func join(_ version: CommitVersion) async -> Task<JournalState.Turn, Never> {
            let (stream, joined) = AsyncStream.makeStream(of: Void.self)
            let task = Task {
                await withCheckedContinuation { (waiter: JournalState.Waiter) in
                    let turn = state.withLock { $0.join(version, waiter) }
                    if let turn { waiter.resume(returning: turn) }
                    joined.finish()
                }
            }
            for await _ in stream {}
            return task
        }

        func store(through version: CommitVersion) {
            state.withLock { $0.stored(JournalState.Position(version: version, chain: []), bytes: 1) }
        }

        /// Ends a pass, and tells whoever is to be told.
        func end(_ error: IndexBackupError? = nil, through version: CommitVersion = 0) {
            let end = JournalState.Position(version: version, chain: [])
            let result = error.map { Result.failure($0) } ?? .success(end)
            let (waiters, successor) = state.withLock { $0.endPass(result, now: 1) }
            for waiter in waiters { waiter.continuation.resume(returning: waiter.turn) }
            successor?.resume(returning: .lead)
        }
    }

    private let callers = Callers()
    private let error = IndexBackupError.tooFewCopies(stored: 1, needed: 2)

    private func isTold(_ expected: String, _ caller: Task<JournalState.Turn, Never>) async -> Bool {
        switch await caller.value {
        case .done: expected == "done"
        case .lead: expected == "lead"
        case .failed(let found): expected == "failed" && found == error
        }
    }

    @Test("Who came while a pass failed is refused only for one that began later")
    func failure() async {
        let first = await callers.join(1)
        #expect(await isTold("lead", first))
        let second = await callers.join(2)
        let third = await callers.join(3)
        callers.end(error)
        #expect(await isTold("lead", second))
        let fourth = await callers.join(4)
        callers.end(error)
        #expect(await isTold("failed", third))
        #expect(await isTold("lead", fourth))
        // Nobody is left, so that the next one leads.
        callers.end(error)
        #expect(await isTold("lead", await callers.join(5)))
    }

    @Test("Who came while a pass failed, and after it, has what the next one journals")
    func recovery() async {
        _ = await callers.join(1)
        let second = await callers.join(2)
        let third = await callers.join(3)
        callers.end(error)
        #expect(await isTold("lead", second))
        let fourth = await callers.join(4)
        let fifth = await callers.join(5)
        callers.store(through: 4)
        callers.end(through: 4)
        #expect(await isTold("done", third))
        #expect(await isTold("done", fourth))
        #expect(await isTold("lead", fifth))
    }

    @Test("What a pass journals before it fails is done")
    func partOfAPass() async {
        _ = await callers.join(1)
        let second = await callers.join(2)
        let third = await callers.join(3)
        callers.end(error)
        #expect(await isTold("lead", second))
        let fourth = await callers.join(4)
        callers.store(through: 3)
        callers.end(error)
        #expect(await isTold("done", third))
        #expect(await isTold("lead", fourth))
    }
}
