import Configuration
import Cryptography
import DirectoryStore
import Foundation
import IndexBackup
import Metadata
import Primitives
import RemoteStore
import Storage
import Workers

/// From what a deployment whose data directory is lost is found again: one of its stores, and the recovery key.
struct RecoverySource {
    let launch: Launch
    let key: RecoveryKey?
    /// A backend that is one of the stores; nil where there are directories to begin with.
    let seed: BackendDeclaration?

    /// - Parameter path: a file that its owner alone can read, or `-` for standard input.
    static func key(from path: String) throws(StartError) -> RecoveryKey {
        let text = try PrivateText.read(path, "The recovery key")
        return try StartError.translated("The recovery key") { () throws(RecoveryKeyError) in
            try RecoveryKey(text: text)
        }
    }

    /// Finds what is known of the stores, and puts the sealing key into the data directory.
    func find() async throws(StartError) -> StoreRegistry {
        var copies: [Found] = []
        var problems: [String] = []
        for place in try await places() {
            do throws(StorageError) {
                guard let newest = try await MembersCopy.newest(in: place.store) else {
                    throw .unavailable("it has no copy of what is known of the stores")
                }
                copies.append(Found(place: place, copy: newest.copy, name: newest.name))
            } catch {
                problems.append("\(place.path): \(error)")
            }
            await place.store.close()
        }
        let newest = copies.max { ($0.copy.version, $0.name) < ($1.copy.version, $1.name) }
        guard let newest else {
            throw StartError((["No store tells of the others."] + problems).joined(separator: "\n"))
        }
        let ids = Set(copies.map(\.place.deployment))
        guard ids.count == 1 else { throw StartError("The stores belong to different deployments.") }
        if let key { try restoreSealingKey(key, newest) }
        return try registry(newest.copy)
    }

    private struct Place {
        let path: String
        let deployment: [UInt8]
        let store: any AttachedStore
    }

    private struct Found {
        let place: Place
        let copy: MembersCopy
        let name: BlobName
    }

    private func places() async throws(StartError) -> [Place] {
        var places: [Place] = []
        if let seed { places.append(try await place(of: seed)) }
        for finding in await StoreFinding.find(directories: launch.configuration.pool.directories) {
            guard let identity = finding.identity else { continue }
            do throws(StorageError) {
                let store = try await finding.open(nil, launch.environment)
                places.append(Place(path: finding.path, deployment: identity.deployment, store: store))
            } catch {
                continue  // The recovery itself tells of each directory that cannot be opened.
            }
        }
        guard !places.isEmpty else {
            throw StartError(
                "There is no store to begin with: name a backend (--url, --bucket, --credentials), or directories that "
                    + "hold stores (pool.directories).")
        }
        return places
    }

    private func place(of seed: BackendDeclaration) async throws(StartError) -> Place {
        let (record, credentials) = try StartError.translated("The backend") { () throws(BackendError) in
            (try seed.record(), try seed.checkedCredentials())
        }
        let path = StorePlace.backend(record).description
        do throws(StorageError) {
            let endpoint: RemoteEndpoint
            do throws(RemoteSettingError) { endpoint = try RemoteEndpoint(record) } catch {
                throw .unavailable("\(error)")
            }
            let remote = try RemoteStore(
                name: record.name, endpoint: endpoint, credentials: credentials.forSigning,
                settings: RemoteStoreSettings(record), environment: launch.environment)
            guard let identity = try await BackendStore.identity(of: remote, launch.environment).get() else {
                remote.close()
                throw .unavailable("no store is there")
            }
            let store = BackendStore(remote, id: identity.store, environment: launch.environment)
            return Place(path: path, deployment: identity.deployment, store: store)
        } catch {
            throw StartError("\(path): \(error)")
        }
    }

    private func restoreSealingKey(_ key: RecoveryKey, _ found: Found) throws(StartError) {
        guard let row = found.copy.value(of: Keys.recoveryKey) else {
            throw StartError("This deployment has no recovery key.")
        }
        let record = try StartError.translated("The copy of what is known of the stores") { () throws(RecordError) in
            try SealedRecord(encoded: row)
        }
        let bytes: [UInt8]
        do throws(CryptographyError) {
            bytes = try key.open(record.sealed, of: found.place.deployment)
        } catch {
            throw StartError(
                "The recovery key is not the one of this deployment, or another one was drawn after it: the one that "
                    + "counts is of \(record.made.iso8601).")
        }
        try StartError.translated("The sealing key") { () throws(PrivateFileError) in
            try SealingKey.restore(bytes, in: launch.configuration.data)
        }
    }

    private func registry(_ copy: MembersCopy) throws(StartError) -> StoreRegistry {
        var registry = StoreRegistry()
        for entry in copy.entries where Keys.stores.contains(KeyBound(entry.key)) {
            registry.stores[UInt16(truncatingIfNeeded: Keys.number(entry.key.dropFirst(2)))] =
                try StartError.translated("The copy of what is known of the stores") { () throws(RecordError) in
                    try StoreRecord(encoded: entry.value)
                }
        }
        return registry
    }
}

/// A text that holds a secret, from a file or from standard input.
enum PrivateText {
    private static let mostBytes = 64 << 10

    /// - Parameters:
    ///   - path: a file that its owner alone can read, or `-` for standard input.
    ///   - what: what a message calls it.
    static func read(_ path: String, _ what: String) throws(StartError) -> String {
        guard path.utf8.elementsEqual("-".utf8) else {
            return try StartError.translated(what) { () throws(PrivateFileError) in try PrivateFile.read(path) }
        }
        do {
            let bytes = try FileHandle.standardInput.read(upToCount: mostBytes)
            return String(decoding: bytes ?? Data(), as: UTF8.self)
        } catch {
            throw StartError("Standard input cannot be read.")
        }
    }
}
