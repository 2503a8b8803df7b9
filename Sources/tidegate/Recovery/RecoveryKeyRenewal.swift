import Audit
import Configuration
import IndexBackup
import Metadata
import Primitives
import Workers

/// What is told of a deployment's recovery key, and of which nothing is secret.
struct RecoveryKeyView: Codable, Sendable {
    /// The deployment's id.
    var deployment: String
    /// When it was drawn; nil where there is none.
    var drawn: String?
    /// Which sealing key it opens.
    var fingerprint: String?
}

/// A recovery key's seal, as whoever drew the key gives it to the gateway: the key itself is never sent.
struct RecoverySealDocument: Codable, Sendable {
    /// The sealing key, sealed, in Base64.
    var sealed: String
    /// Of the sealing key, in base 16.
    var fingerprint: String
}

extension BackendDesk {
    func recoveryKey() async throws(BackendError) -> RecoveryKeyView {
        var view = RecoveryKeyView(deployment: Hex.encode(deploymentID))
        guard let entry = try await entry(Keys.recoveryKey) else { return view }
        do throws(RecordError) {
            let record = try SealedRecord(encoded: entry.value)
            (view.drawn, view.fingerprint) = (record.made.iso8601, Hex.encode(record.fingerprint))
            return view
        } catch {
            throw BackendError(.unavailable, "The index: \(error)")
        }
    }

    /// Has another recovery key count from now on.
    ///
    /// - Throws: `conflict` where it was drawn for another sealing key than this deployment's.
    func renewRecoveryKey(
        _ document: RecoverySealDocument, _ recording: Recording
    ) async throws(BackendError) -> RecoveryKeyView {
        guard let sealed = Base64.decode(document.sealed), let fingerprint = Hex.decode(document.fingerprint),
            (28...256).contains(sealed.count)
        else { throw .invalid("`sealed` is Base64 and `fingerprint` hexadecimal.") }
        let key: SealingKey
        do throws(PrivateFileError) {
            key = try SealingKey.load(from: launch.configuration.data)
        } catch {
            throw BackendError(.unavailable, "The sealing key cannot be used: \(error).")
        }
        guard RecoveryKey.fingerprint(of: key.bytes) == fingerprint else {
            throw BackendError(.conflict, "The recovery key was drawn for another sealing key than the gateway's.")
        }
        let record = SealedRecord(made: launch.environment.now(), sealed: sealed, fingerprint: fingerprint)
        try await commit([], [.put(Keys.recoveryKey, record.encoded)], [recording("RenewRecoveryKey", [:])])
        return try await recoveryKey()
    }
}
