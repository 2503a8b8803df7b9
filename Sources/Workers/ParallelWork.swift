/// Work on one item after another, several at a time.
enum ParallelWork {
    /// - Parameters:
    ///   - width: Items that are worked on at once.
    ///   - next: The next item, nil at the end. It is asked for while others are worked on.
    ///   - work: What is done with an item.
    ///   - done: Told of each outcome, in the order in which the works end.
    /// - Throws: The first error of `next` or of a work, `cancelled` where the task was cancelled. What had begun has
    ///   ended by then, and nothing more is begun.
    static func run<Item: Sendable, Outcome: Sendable>(
        width: Int, next: () async throws(WorkerError) -> Item?,
        work: @escaping @Sendable (Item) async throws(WorkerError) -> Outcome, done: (Outcome) -> Void
    ) async throws(WorkerError) {
        let failure: WorkerError? = await withTaskGroup(of: Result<Outcome, WorkerError>.self) { group in
            var (running, failure, isAtEnd): (Int, WorkerError?, Bool) = (0, nil, false)
            while running > 0 || failure == nil && !isAtEnd {
                do throws(WorkerError) {
                    if failure == nil, !isAtEnd, running < width {
                        guard !Task.isCancelled else { throw .cancelled }
                        guard let item = try await next() else {
                            isAtEnd = true
                            continue
                        }
                        running += 1
                        group.addTask { await Self.result(of: item, work) }
                    } else if let result = await group.next() {
                        running -= 1
                        done(try result.get())
                    }
                } catch {
                    failure = failure ?? error
                }
            }
            return failure
        }
        if let failure { throw failure }
    }

    private static func result<Item, Outcome>(
        of item: Item, _ work: (Item) async throws(WorkerError) -> Outcome
    ) async -> Result<Outcome, WorkerError> {
        do throws(WorkerError) {
            return .success(try await work(item))
        } catch {
            return .failure(error)
        }
    }
}
