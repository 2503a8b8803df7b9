import Configuration
import EmbeddedIndex
import FoundationEssentials
import IndexBackup
import Logging
import Metadata
import Primitives
import Storage
import Workers

/// The index of a deployment, held by this process alone, and what was found where its stores are.
struct OpenedIndex: Sendable {
    let embedded: EmbeddedIndex
    let session: WriterSession
    let registry: StoreRegistry
    /// What was found at each configured directory.
    let directories: [StoreFinding]
    /// What was found at each attached backend, by position.
    let backends: [UInt16: StoreFinding]
    /// Opens the credentials of backends; nil where there is no key to do so.
    let vault: BackendVault?

    /// Opens the index, and ends the epochs of whoever ran before.
    ///
    /// - Parameter onSuspect: called once when the index cannot be trusted any more: the process has to end.
    static func open(
        _ launch: Launch, onSuspect: @escaping @Sendable (String) -> Void
    ) async throws(StartError) -> OpenedIndex {
        let configuration = launch.configuration
        let path = configuration.index.path
        let directories = await StoreFinding.find(directories: configuration.pool.directories)
        let owner = try StoreArrangement.deployment(directories)
        let isKnown = owner != nil || BackendsFile.isThere(configuration)
        guard !isKnown || FileManager.default.fileExists(atPath: path) else {
            throw StartError(
                "The index \(path) is missing, but the stores hold data. `tidegate recover` brings it back from them.")
        }
        var options = EmbeddedIndex.Options()
        options.onSuspect = onSuspect
        let embedded: EmbeddedIndex
        do throws(IndexOpenError) {
            embedded = try await EmbeddedIndex.open(path: path, options: options)
        } catch {
            var refusal = StartError("The index \(path): \(error)")
            if case .inUse = error { refusal.isInUse = true }
            throw refusal
        }
        do throws(StartError) {
            return try await OpenedIndex(launch, embedded, directories, owner)
        } catch {
            await embedded.close()
            throw error
        }
    }

    private init(
        _ launch: Launch, _ embedded: EmbeddedIndex, _ directories: [StoreFinding], _ owner: [UInt8]?
    ) async throws(StartError) {
        let (configuration, environment) = (launch.configuration, launch.environment)
        registry = try await StoreRegistry.read(embedded)
        let named = Set(StoreArrangement.directories(configuration.pool, records: registry.stores))
        self.directories = directories.filter { named.contains($0.path) }
        vault = Self.vault(launch, registry)
        backends = await Self.find(registry, vault, environment)
        try await Self.refuseOldCopy(launch, embedded, self.directories + backends.values, vault)
        let keeper = EpochKeeper(index: embedded, environment: environment, node: configuration.node)
        session = try await StartError.awaited("The index \(configuration.index.path)") { () throws(WorkerError) in
            try await keeper.begin(deployment: owner)
        }
        self.embedded = embedded
    }

    /// The findings by position of the pool.
    func arranged() throws(StartError) -> [StoreFinding] {
        let positions = try StoreArrangement.positions(of: directories, records: registry.stores)
        var arranged: [StoreFinding] = []
        for (number, position) in positions.enumerated() {
            switch position {
            case .directory(let index): arranged.append(directories[index])
            case .backend:
                guard let finding = backends[UInt16(truncatingIfNeeded: number)] else { continue }
                arranged.append(finding)
            }
        }
        return arranged
    }

    /// What opens credentials, where there are any.
    static func vault(_ launch: Launch, _ registry: StoreRegistry) -> BackendVault? {
        guard registry.holdsCredentials else { return nil }
        do throws(PrivateFileError) {
            let key = try SealingKey.load(from: launch.configuration.data)
            return BackendVault(key, environment: launch.environment)
        } catch {
            // The directories can be served from without; the finding of each backend says what it lacks.
            launch.logger.error("the credentials of backends cannot be opened", metadata: ["reason": "\(error)"])
            return nil
        }
    }

    /// Looks at every backend at once: one that does not answer holds up no other.
    static func find(
        _ registry: StoreRegistry, _ vault: BackendVault?, _ environment: any Environment
    ) async -> [UInt16: StoreFinding] {
        await withTaskGroup(of: (UInt16, StoreFinding).self) { group in
            for (position, record) in registry.stores {
                guard let backend = record.backend else { continue }
                group.addTask { (position, await StoreFinding.find(.backend(backend), vault, environment)) }
            }
            var found: [UInt16: StoreFinding] = [:]
            for await (position, finding) in group { found[position] = finding }
            return found
        }
    }

    /// Refuses an index that is older than what the stores know of it.
    private static func refuseOldCopy(
        _ launch: Launch, _ index: EmbeddedIndex, _ findings: [StoreFinding], _ vault: BackendVault?
    ) async throws(StartError) {
        let (path, environment) = (launch.configuration.index.path, launch.environment)
        let (last, drawn) = try await StartError.awaited("The index \(path)") { () throws(MetadataError) in
            (try await index.kept().last, try await index.values(of: [Keys.nextEpoch])[0])
        }
        var stores: [any AttachedStore] = []
        for finding in findings where finding.identity != nil {
            do throws(StorageError) {
                stores.append(try await finding.open(vault, environment))
            } catch {
                // Why it cannot be opened is told when it is to be attached.
                continue
            }
        }
        let newer = await IndexAge.newer(
            than: last, nextEpoch: drawn.map { Keys.number($0.value) } ?? 0, in: stores,
            patience: StorePatience(environment))
        for store in stores { await store.close() }
        guard let newer else { return }
        throw StartError(
            "The index \(path) is an old copy: it ends with commit \(last), and the stores know of commit "
                + "\(newer.commit) of a later run or a later moment (writer epoch \(newer.epoch)). To serve from it "
                + "would lose what was stored since. No object was touched. Move the index away, and "
                + "`tidegate recover` brings back the newest one.")
    }
}
