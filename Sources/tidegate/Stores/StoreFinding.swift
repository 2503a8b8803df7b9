import DirectoryStore
import Metadata
import Primitives
import RemoteStore
import Storage

/// Where a store is, or is to be.
enum StorePlace: Sendable, Hashable, CustomStringConvertible {
    case directory(String)
    case backend(BackendRecord)

    /// The path, or the backend's name and bucket.
    var description: String {
        switch self {
        case .directory(let path): path
        case .backend(let record): "\(record.name) (\(record.url)/\(record.bucket)/\(record.prefix))"
        }
    }

    var backend: BackendRecord? {
        if case .backend(let record) = self { record } else { nil }
    }
}

/// What was found at a place of a store.
struct StoreFinding: Sendable {
    var place: StorePlace
    var inspection: DirectoryInspection?
    /// Whose the store there is; nil where there is none, or where it does not say so.
    var identity: StoreIdentity?
    /// Why it could not be looked at.
    var problem: String?

    /// What messages call the place.
    var path: String { place.description }

    private init(_ place: StorePlace) {
        self.place = place
    }

    /// Looks at a place and changes nothing there: what is found may be another deployment's.
    ///
    /// - Parameter vault: opens the credentials of a backend; nil where there is no key.
    static func find(_ place: StorePlace, _ vault: BackendVault?, _ environment: any Environment) async -> StoreFinding
    {
        switch place {
        case .directory(let path): await find(path)
        case .backend(let record): await find(record, vault, environment)
        }
    }

    /// Looks at directories, in their order.
    static func find(directories: [String]) async -> [StoreFinding] {
        var findings: [StoreFinding] = []
        for path in directories { findings.append(await find(path)) }
        return findings
    }

    private static func find(_ path: String) async -> StoreFinding {
        var finding = StoreFinding(.directory(path))
        do throws(StorageError) {
            let inspection = try await DirectoryStore.inspect(path)
            finding.inspection = inspection
            if inspection.content == .store { finding.identity = try await DirectoryStore.readIdentity(at: path) }
        } catch {
            finding.problem = error.description
        }
        return finding
    }

    private static func find(
        _ record: BackendRecord, _ vault: BackendVault?, _ environment: any Environment
    ) async -> StoreFinding {
        var finding = StoreFinding(.backend(record))
        do throws(StorageError) {
            guard let vault else {
                throw .unavailable("the deployment's sealing key, which opens its credentials, is not there")
            }
            let remote = try vault.store(record)
            defer { remote.close() }
            finding.identity = try await BackendStore.identity(of: remote, environment).get()
            var content = DirectoryInspection.Content.store
            if finding.identity == nil {
                content = try await remote.blobs(after: nil, limit: 1).isEmpty ? .empty : .foreign
            }
            finding.inspection = DirectoryInspection(content: content, isMountPoint: false)
        } catch {
            finding.problem = error.description
        }
        return finding
    }

    /// Opens the store that was found.
    ///
    /// - Throws: `unavailable`, also where another one is there by now.
    func open(_ vault: BackendVault?, _ environment: any Environment) async throws(StorageError) -> any AttachedStore {
        guard let identity else { throw .unavailable("no store is there") }
        let store = try await open(identity.store, creating: false, vault, environment)
        do throws(StorageError) {
            let now = try await store.readIdentity()
            guard let now, now.deployment == identity.deployment, now.store == identity.store else {
                throw .unavailable("another store is there by now")
            }
            return store
        } catch {
            await store.close()
            throw error
        }
    }

    /// Opens what is at the place, whatever it says of itself.
    ///
    /// - Parameter id: the id that the store has or is to have.
    func open(
        _ id: [UInt8], creating: Bool, _ vault: BackendVault?, _ environment: any Environment
    ) async throws(StorageError) -> any AttachedStore {
        switch place {
        case .directory(let path):
            return try await DirectoryStore.open(path, creating: creating, environment: environment)
        case .backend(let record):
            guard let vault else {
                throw .unavailable("the deployment's sealing key, which opens its credentials, is not there")
            }
            return BackendStore(try vault.store(record), id: id, environment: environment)
        }
    }
}

/// What is to be done about a position of the pool, by what was found there: a pure function, for the start and for
/// stores that come back later.
enum StoreStep: Sendable, Hashable {
    /// It is the store that belongs here.
    case attach
    /// A store is made here: the first one, or one in place of a lost one.
    case create(replaces: Bool)
    /// Nothing is done, for this reason, until what is found changes.
    case wait(String)

    /// - Parameters:
    ///   - id: the store's id where this position had one, and whether it was a file system of its own.
    init(_ finding: StoreFinding, expecting known: (id: [UInt8], isMountPoint: Bool)?, deployment: [UInt8]) {
        guard let inspection = finding.inspection, finding.problem == nil else {
            self = .wait(finding.problem ?? "it could not be looked at")
            return
        }
        switch inspection.content {
        case .foreign:
            self =
                finding.place.backend == nil
                ? .wait("the directory holds files that are no store's; give the store an empty one")
                : .wait("shards are there, but nothing says whose; give the store an empty bucket or prefix")
        case .missing where known != nil:
            self = .wait("there is no such directory; make it again, empty, to have its shards restored there")
        case .missing:
            self = .create(replaces: false)
        case .empty:
            self = Self.onEmpty(inspection, known)
        case .store:
            guard let identity = finding.identity else {
                // A crash came between the layout and the identity; a store without one has taken no blob.
                self = Self.onEmpty(inspection, known)
                return
            }
            self = Self.onIdentity(identity, known, deployment)
        }
    }

    private static func onEmpty(
        _ inspection: DirectoryInspection, _ known: (id: [UInt8], isMountPoint: Bool)?
    ) -> StoreStep {
        guard let known else { return .create(replaces: false) }
        guard inspection.isMountPoint || !known.isMountPoint else {
            return .wait("the directory is empty, and no file system is mounted there as before")
        }
        return .create(replaces: true)
    }

    private static func onIdentity(
        _ identity: StoreIdentity, _ known: (id: [UInt8], isMountPoint: Bool)?, _ deployment: [UInt8]
    ) -> StoreStep {
        guard identity.deployment == deployment else {
            return .wait("the store belongs to the deployment \(Hex.encode(identity.deployment))")
        }
        guard let known, known.id != identity.store else { return .attach }
        return .wait(
            "another store of this deployment (\(Hex.encode(identity.store))) is there, not \(Hex.encode(known.id))")
    }
}
