import Audit
import Configuration
import Logging
import Metadata
import Primitives
import RemoteStore
import Storage
import Workers

/// How a backend becomes a store of the pool.
extension BackendDesk {
    /// Probes a backend, and takes it into the pool where it can keep the laws of stores.
    ///
    /// - Throws: `invalid`, `conflict`, `refused` with every finding that keeps it from being taken, `unavailable`.
    func attach(_ declaration: BackendDeclaration, _ recording: Recording) async throws(BackendError) -> BackendView {
        let weight = try declaration.weight.map { weight throws(BackendError) in try Self.checked(weight: weight) }
        let capacity = try Self.checked(capacity: declaration.capacity ?? 0)
        if declaration.adopted == true {
            guard weight == nil, capacity == nil else {
                throw .invalid("An adopted bucket is no store, and has neither weight nor capacity.")
            }
            return try await adopt(declaration, recording)
        }
        return try await alone { () throws(BackendError) in
            var record = try declaration.record()
            let credentials = try declaration.checkedCredentials()
            try await refuseTwins(of: record)
            try await refuseSelf(record, credentials)
            if record.isBuffered, declaration.acceptBuffered != true {
                throw BackendError(
                    .refused,
                    "A buffered backend loses what it acknowledged when its host loses power. It is taken only where "
                        + "that is accepted (--accept-buffered).")
            }
            let vault = try vault()
            do throws(StartError) {
                try vault.seal(credentials, into: &record)
            } catch {
                throw BackendError(.unavailable, error.description)
            }
            let report = await probe(record, credentials)
            try check(report, record)
            record = Self.noting(report, in: record, at: launch.environment.now())
            return try await take(record, (weight ?? StoreRecord.usualWeight, capacity), vault, recording)
        }
    }

    /// Refuses what is attached already, under this name or another.
    func refuseTwins(of record: BackendRecord) async throws(BackendError) {
        let registry = try await registry()
        let stores = registry.stores.values.filter { $0.standing != .detached }.compactMap(\.backend)
        let adopted = registry.sources.values.filter { $0.standing != .detached }.map(\.backend)
        for other in stores + adopted {
            guard !other.name.utf8.elementsEqual(record.name.utf8) else {
                throw BackendError(.conflict, "There is a backend `\(record.name)` already.")
            }
            guard let ours = Self.place(record), let theirs = Self.place(other), ours.root == theirs.root else {
                continue
            }
            if ours.prefix.utf8.starts(with: theirs.prefix.utf8) || theirs.prefix.utf8.starts(with: ours.prefix.utf8) {
                throw BackendError(
                    .conflict, "The backend `\(other.name)` is in the same place: one would find the other's shards.")
            }
        }
    }

    /// Refuses the gateway itself: what it stored would be stored in it again, without end. It is known by a bucket of
    /// that name and an access key that it knows.
    func refuseSelf(_ record: BackendRecord, _ credentials: BackendCredentials) async throws(BackendError) {
        let configuration = launch.configuration
        var keys = configuration.keys.map(\.accessKey)
        if let root = configuration.root { keys.append(root.accessKey) }
        do throws(StartError) {
            if configuration.root == nil { keys.append(try launch.existingRootKey().accessKey) }
        } catch {
            // No gateway was started on this data yet: there is none to be taken for a backend.
        }
        guard keys.contains(where: { $0.utf8.elementsEqual(credentials.accessKey.utf8) }),
            try await entry(Keys.bucket(record.bucket)) != nil
        else { return }
        throw BackendError(
            .conflict,
            "This deployment has a bucket `\(record.bucket)` and the access key itself: it would store its shards in "
                + "itself. Where it is another service, use another access key there.")
    }

    private static func place(_ record: BackendRecord) -> (root: String, prefix: String)? {
        do throws(RemoteSettingError) {
            let endpoint = try RemoteEndpoint(record)
            return ("\(endpoint.origin) \(endpoint.bucket)", endpoint.prefix)
        } catch {
            return nil  // What cannot be reached is in nobody's place.
        }
    }

    private func check(_ report: ProbeReport, _ record: BackendRecord) throws(BackendError) {
        guard report.isAcceptable else {
            var lines = ["The backend `\(record.name)` is not taken:"]
            for finding in report.refusals {
                lines.append("  \(finding.ability.rawValue): \(finding.detail)")
                if let advice = BackendProfile(rawValue: record.profile)?.advice(on: finding.ability) {
                    lines.append("    \(advice)")
                }
            }
            throw BackendError(.refused, lines.joined(separator: "\n"))
        }
        let hint = report.findings.first { $0.ability == .durabilityHint && $0.verdict == .limited }
        if let hint, !record.isBuffered {
            throw BackendError(
                .refused,
                "\(hint.detail) Attach it as buffered (--durability buffered --accept-buffered), if that is accepted.")
        }
    }

    private func take(
        _ declared: BackendRecord, _ size: (weight: UInt16, capacity: Int64?), _ vault: BackendVault,
        _ recording: Recording
    ) async throws(BackendError) -> BackendView {
        let remote: RemoteStore
        do throws(StorageError) {
            remote = try vault.store(declared)
        } catch {
            throw BackendError(.unavailable, error.description)
        }
        defer { remote.close() }
        let registry = try await registry()
        let id = try await identity(of: remote, registry) ?? launch.environment.randomBytes(16)
        let position = registry.stores.keys.max().map { $0 + 1 } ?? 0
        var store = StoreRecord(
            id: id, place: StorePlace.backend(declared).description, isMountPoint: false,
            attached: launch.environment.now(), backend: declared)
        (store.weight, store.capacity) = size
        var parameters = Self.parameters(declared, position)
        parameters["weight"] = String(size.weight)
        parameters["capacity"] = size.capacity.map { String($0) }
        try await commit(
            [.absent(Keys.store(position))], [.put(Keys.store(position), store.encoded)],
            [recording("AttachBackend", parameters)])
        // Where this does not come about any more, the store's next look makes it up.
        if let identity = StoreIdentity(deployment: deploymentID, store: id) {
            do throws(StorageError) {
                try await remote.writeIdentity(identity)
            } catch {
                launch.logger.warning("a backend does not carry its id yet", metadata: ["reason": "\(error)"])
            }
        }
        try await live?.follow(attached: store, at: position, vault)
        return try await view(named: declared.name)
    }

    /// The id of a store that is there already; nil where the place is empty.
    private func identity(
        of remote: RemoteStore, _ registry: StoreRegistry
    ) async throws(BackendError) -> [UInt8]? {
        do throws(StorageError) {
            guard let identity = try await remote.readIdentity() else {
                guard try await remote.blobs(after: nil, limit: 1).isEmpty else {
                    throw StorageError.corrupt(
                        "shards are there, but nothing says whose; give the store an empty bucket or prefix")
                }
                return nil
            }
            guard identity.deployment == deploymentID else {
                throw StorageError.corrupt("it holds a store of the deployment \(Hex.encode(identity.deployment))")
            }
            guard !registry.stores.values.contains(where: { $0.id == identity.store }) else {
                throw StorageError.corrupt("it holds a store that this deployment has, or had, in another place")
            }
            return identity.store
        } catch .corrupt(let detail) {
            throw BackendError(.conflict, "\(remote.name): \(detail).")
        } catch {
            throw BackendError(.unavailable, error.description)
        }
    }
}
