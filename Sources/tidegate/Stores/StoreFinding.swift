import DirectoryStore
import Primitives
import Storage

/// What was found at a configured place of a store.
struct StoreFinding: Sendable {
    var path: String
    var inspection: DirectoryInspection?
    /// Whose the store there is; nil where there is none, or where it does not say so.
    var identity: StoreIdentity?
    /// Why it could not be looked at.
    var problem: String?

    /// Looks at a place and changes nothing there: what is found may be another deployment's.
    static func find(_ path: String) async -> StoreFinding {
        var finding = StoreFinding(path: path)
        do throws(StorageError) {
            let inspection = try await DirectoryStore.inspect(path)
            finding.inspection = inspection
            if inspection.content == .store { finding.identity = try await DirectoryStore.readIdentity(at: path) }
        } catch {
            finding.problem = error.description
        }
        return finding
    }

    /// Opens the store that was found.
    ///
    /// - Throws: `unavailable`, also where another one is there by now.
    func open(_ environment: any Environment) async throws(StorageError) -> DirectoryStore {
        let store = try await DirectoryStore.open(path, creating: false, environment: environment)
        do throws(StorageError) {
            let now = try await store.readIdentity()
            guard let now, let identity, now.deployment == identity.deployment, now.store == identity.store else {
                throw .unavailable("another store is there by now")
            }
            return store
        } catch {
            await store.close()
            throw error
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
            self = .wait("the directory holds files that are no store's; give the store an empty one")
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
