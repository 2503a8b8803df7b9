import DirectoryStore
import Primitives
import Storage

/// What was found at a configured place of a store.
struct StoreFinding: Sendable {
    var path: String
    var inspection: DirectoryInspection?
    /// The store, opened, where there is one.
    var store: DirectoryStore?
    var identity: StoreIdentity?
    /// Why it could not be looked at or opened.
    var problem: String?

    /// Looks at a place, and opens the store that is there.
    static func find(_ path: String, environment: any Environment) async -> StoreFinding {
        var finding = StoreFinding(path: path)
        do throws(StorageError) {
            let inspection = try await DirectoryStore.inspect(path)
            finding.inspection = inspection
            guard inspection.content == .store else { return finding }
            let store = try await DirectoryStore.open(path, creating: false, environment: environment)
            do throws(StorageError) {
                finding.identity = try await store.readIdentity()
                finding.store = store
            } catch {
                await store.close()
                throw error
            }
        } catch {
            finding.problem = error.description
        }
        return finding
    }

    func close() async {
        await store?.close()
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
