import DirectoryStore
import Primitives
import RemoteStore
import Storage
import Synchronization

/// A store as a slot of the pool holds it: blobs, and whose they are.
protocol AttachedStore: BlobStore {
    /// Whose the store is; nil where that was never written.
    func readIdentity() async throws(StorageError) -> StoreIdentity?
    func writeIdentity(_ identity: StoreIdentity) async throws(StorageError)
    /// Why what was attached is not there any more; nil where it is. Asked about once a second.
    func absence() async -> String?
    /// Why it does not answer at this moment; nil where it does. One call that fails is enough.
    func silence(patience: Duration) async -> String?
    /// Why nothing may be written any more although the store is there; nil where it may.
    var suspicion: String? { get }
    func close() async
}

extension DirectoryStore: AttachedStore {
    func absence() async -> String? {
        await isInPlace() ? nil : "the directory that was attached is not there any more"
    }

    func silence(patience: Duration) async -> String? { await absence() }
}

/// A bucket of another service, with what is known of whether it answers.
///
/// A call that fails is no proof of absence: the pool goes round a store that failed lately by itself. Only one that
/// fails again and again, for a quarter of a minute and more, is taken away, so that it is not even asked.
final class BackendStore: AttachedStore {
    let remote: RemoteStore
    private let id: [UInt8]
    private let environment: any Environment
    private let looks: Mutex<Looks>

    private struct Looks {
        var next: UInt64
        var failures = 0
    }

    /// From the end of one look to the beginning of the next.
    private static let nanosecondsBetween: UInt64 = 5_000_000_000
    /// How long an answer may take.
    static let usualPatience = Duration.seconds(10)
    /// Looks in a row without an answer after which it is away.
    private static let mostFailures = 3

    /// - Parameter id: The store's id, as its identity has it.
    init(_ remote: RemoteStore, id: [UInt8], environment: any Environment) {
        (self.remote, self.id, self.environment) = (remote, id, environment)
        looks = Mutex(Looks(next: environment.monotonicNanoseconds() &+ Self.nanosecondsBetween))
    }

    var suspicion: String? { nil }

    func absence() async -> String? {
        guard looks.withLock({ environment.monotonicNanoseconds() >= $0.next }) else { return nil }
        let answer = await Self.identity(of: remote, environment)
        let next = environment.monotonicNanoseconds() &+ Self.nanosecondsBetween
        switch answer {
        case .success(let identity?) where identity.store == id:
            looks.withLock { $0 = Looks(next: next) }
            return nil
        case .success(.some): return "another store is there by now"
        case .success(nil): return "the bucket does not say any more whose it is"
        case .failure(let error):
            let failures = looks.withLock { looks in
                looks = Looks(next: next, failures: looks.failures + 1)
                return looks.failures
            }
            return failures >= Self.mostFailures ? error.description : nil
        }
    }

    func silence(patience: Duration) async -> String? {
        switch await Self.identity(of: remote, environment, patience: patience) {
        case .success(let identity?) where identity.store == id: nil
        case .success: "the bucket does not say that it is this store"
        case .failure(let error): error.description
        }
    }

    /// Whose a bucket is, asked with less patience than a shard is read with.
    static func identity(
        of remote: RemoteStore, _ environment: any Environment, patience: Duration = usualPatience
    ) async -> Result<StoreIdentity?, StorageError> {
        await withTaskGroup(of: Result<StoreIdentity?, StorageError>?.self) { group in
            group.addTask {
                do throws(StorageError) {
                    return .success(try await remote.readIdentity())
                } catch {
                    return .failure(error)
                }
            }
            group.addTask {
                do throws(CancellationError) {
                    try await environment.sleep(for: patience)
                } catch {
                    return nil
                }
                return .failure(.unavailable("\(remote.name): it gave no answer for \(patience)"))
            }
            defer { group.cancelAll() }
            while let first = await group.next() {
                if let first { return first }
            }
            return .failure(.unavailable("\(remote.name): it was not asked"))
        }
    }

    func readIdentity() async throws(StorageError) -> StoreIdentity? { try await remote.readIdentity() }

    func writeIdentity(_ identity: StoreIdentity) async throws(StorageError) {
        try await remote.writeIdentity(identity)
    }

    func close() async { remote.close() }

    // MARK: BlobStore

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        try await remote.write(name, body)
    }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        try await remote.read(name, range: range, into: &sink)
    }

    func delete(_ name: BlobName) async throws(StorageError) { try await remote.delete(name) }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        try await remote.blobs(after: after, limit: limit)
    }
}
