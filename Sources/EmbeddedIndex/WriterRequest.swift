import Metadata

/// What waits for an answer from a thread of the index.
typealias Reply<Value: Sendable> = CheckedContinuation<Result<Value, MetadataError>, Never>

/// What the writer's thread is asked for.
enum WriterRequest: Sendable {
    case commit(Transaction, Reply<CommitVersion>)
    case keepChanges(JournalMark, Reply<Void>)
    case load([Entry], Reply<Void>)
    case finishLoading(CommitVersion, Reply<Void>)
    case replay([Change], Reply<Void>)
    case kept(Reply<KeptChanges>)

    /// Answers with an error, whatever was asked.
    func fail(_ error: MetadataError) {
        switch self {
        case .commit(_, let reply): reply.resume(returning: .failure(error))
        case .keepChanges(_, let reply), .load(_, let reply), .finishLoading(_, let reply), .replay(_, let reply):
            reply.resume(returning: .failure(error))
        case .kept(let reply): reply.resume(returning: .failure(error))
        }
    }
}

/// What a reader's thread is asked for.
enum ReaderRequest: Sendable {
    case values([Key], Reply<[Entry?]>)
    case pages([Scan], Reply<[Page]>)
    case changes(after: CommitVersion, limit: Int, Reply<[Change]>)

    /// Answers with an error, whatever was asked.
    func fail(_ error: MetadataError) {
        switch self {
        case .values(_, let reply): reply.resume(returning: .failure(error))
        case .pages(_, let reply): reply.resume(returning: .failure(error))
        case .changes(_, _, let reply): reply.resume(returning: .failure(error))
        }
    }
}
