import Configuration
import Cryptography
import Foundation
import IndexBackup
import Logging
import Metadata
import Primitives
import Workers

/// Keeps in the index, sealed, what a recovery from the stores alone needs beside them: the sealing key, which the
/// operator's recovery key opens, and who may do what.
struct RecoveryKeeping: Sendable {
    let launch: Launch
    let commits: WorkerCommits
    /// The deployment's id.
    let deployment: [UInt8]

    private static let accessBinding = Array("tidegate kept access 1".utf8)

    init(_ launch: Launch, _ commits: WorkerCommits, deployment: [UInt8]) {
        (self.launch, self.commits, self.deployment) = (launch, commits, deployment)
    }

    init(_ deployment: Deployment) {
        self.init(deployment.launch, deployment.commits, deployment: deployment.session.deployment.id)
    }

    /// Sees to it that the index has both, as they are now. Where there is no recovery key yet, or not for the sealing
    /// key that is there, one is drawn, and shown on standard output this once.
    ///
    /// - Parameter access: nil where it is not known: what is kept stays.
    func begin(_ access: KeptAccess?) async throws(StartError) {
        guard let key = try await sealingKey() else { return }
        if try await record(Keys.recoveryKey)?.fingerprint != RecoveryKey.fingerprint(of: key.bytes) {
            let drawn = RecoveryKey(drawnFrom: launch.environment)
            // Before it counts: one that was shown in vain harms nobody, one that nobody saw cannot be shown again.
            try Self.show(drawn)
            let sealed = try seal(key, for: drawn)
            _ = try await StartError.awaited("The recovery key") { () throws(WorkerError) in
                try await commits.commit([], [.put(Keys.recoveryKey, sealed.encoded)])
            }
        }
        if let access { try await keep(access, key) }
    }

    /// The deployment's sealing key, which is drawn with the deployment; nil where it is lost while something is
    /// sealed under it: another one must not take its place unnoticed.
    private func sealingKey() async throws(StartError) -> SealingKey? {
        var isSealed = try await StoreRegistry.read(commits.index).holdsCredentials
        if try await record(Keys.recoveryKey) != nil { isSealed = true }
        do throws(PrivateFileError) {
            return isSealed
                ? try SealingKey.load(from: launch.configuration.data)
                : try SealingKey.loadOrCreate(in: launch.configuration.data, environment: launch.environment)
        } catch {
            launch.logger.error(
                "the sealing key cannot be used; `tidegate recover --recovery-key` brings it back",
                metadata: ["reason": "\(error)"])
            return nil
        }
    }

    private func record(_ key: Key) async throws(StartError) -> SealedRecord? {
        let entry = try await StartError.awaited("The index") { () throws(MetadataError) in
            try await commits.index.values(of: [key])[0]
        }
        guard let entry else { return nil }
        return try StartError.translated("The index") { () throws(RecordError) in
            try SealedRecord(encoded: entry.value)
        }
    }

    private func seal(_ key: SealingKey, for recovery: RecoveryKey) throws(StartError) -> SealedRecord {
        try Self.seal(key, for: recovery, deployment, launch.environment)
    }

    /// The row that a recovery key opens.
    static func seal(
        _ key: SealingKey, for recovery: RecoveryKey, _ deployment: [UInt8], _ environment: any Environment
    ) throws(StartError) -> SealedRecord {
        let sealed = try StartError.translated("The recovery key") { () throws(CryptographyError) in
            try recovery.seal(key.bytes, of: deployment, environment)
        }
        return SealedRecord(
            made: environment.now(), sealed: sealed, fingerprint: RecoveryKey.fingerprint(of: key.bytes))
    }

    /// Shows a key, to standard output alone and never into the log. Not by `print`, which keeps lines back until the
    /// process ends where that is a pipe or a file.
    static func show(_ key: RecoveryKey) throws(StartError) {
        let lines = [
            "A recovery key was drawn. It is shown once and kept nowhere: keep it away from this machine.",
            "  recovery key: \(key.text)",
            "With it and one store, `tidegate recover` brings back what this machine keeps beside the audit log.",
        ]
        do {
            try FileHandle.standardOutput.write(contentsOf: Data(lines.map { $0 + "\n" }.joined().utf8))
        } catch {
            throw StartError("The recovery key could not be shown on standard output.")
        }
    }

    // MARK: Who may do what

    private func keep(_ access: KeptAccess, _ key: SealingKey) async throws(StartError) {
        let plain = access.encoded
        guard plain.count <= KeptAccess.lengthLimit else {
            launch.logger.error(
                "access keys and policies are too long to be kept for a recovery",
                metadata: ["bytes": .count(plain.count), "most": .count(KeptAccess.lengthLimit)])
            return
        }
        if let kept = try await record(Keys.keptAccess), Self.open(kept, key) == plain { return }
        let nonce = launch.environment.randomBytes(AES256GCM.nonceLength)
        let sealed = try StartError.translated("The access keys") { () throws(CryptographyError) in
            nonce + (try AES256GCM.seal(plain, key: key.bytes, nonce: nonce, authenticating: Self.accessBinding))
        }
        let row = SealedRecord(
            made: launch.environment.now(), sealed: sealed, fingerprint: RecoveryKey.fingerprint(of: key.bytes))
        _ = try await StartError.awaited("The index") { () throws(WorkerError) in
            try await commits.commit([], [.put(Keys.keptAccess, row.encoded)])
        }
    }

    /// What `keep` sealed; nil under another key, or where it was changed.
    static func open(_ record: SealedRecord, _ key: SealingKey) -> [UInt8]? {
        let nonce = Array(record.sealed.prefix(AES256GCM.nonceLength))
        do throws(CryptographyError) {
            return try AES256GCM.open(
                Array(record.sealed.dropFirst(nonce.count)), key: key.bytes, nonce: nonce,
                authenticating: accessBinding)
        } catch {
            return nil
        }
    }
}
