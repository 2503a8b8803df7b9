import ArgumentParser
import Configuration
import Cryptography
import IndexBackup
import Metadata
import Primitives

/// `tidegate recovery-key`
struct RecoveryKeyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "recovery-key", abstract: "Draw another recovery key, and show it once.",
        discussion: """
            For an operator who has lost the one that the first start showed, or fears that somebody has seen it. \
            Beside a running gateway or without one; it needs the data directory, and the key never leaves this \
            process but for standard output. The key before opens nothing that the stores are given from now on.
            """)

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let (data, environment) = (try options.load().configuration.data, SystemEnvironment())
        try await BackendCommand.run(options) { access throws(BackendError) in
            let drawn = RecoveryKey(drawnFrom: environment)
            let view = try await access.recoveryKey()
            guard let deployment = Hex.decode(view.deployment) else {
                throw BackendError(.unavailable, "The deployment's id is malformed.")
            }
            let key: SealingKey
            do throws(PrivateFileError) {
                // An offline command may come before the first start.
                key =
                    view.drawn == nil
                    ? try SealingKey.loadOrCreate(in: data, environment: environment)
                    : try SealingKey.load(from: data)
            } catch {
                throw BackendError(.unavailable, "The sealing key cannot be used: \(error).")
            }
            do throws(StartError) {
                let record = try RecoveryKeeping.seal(key, for: drawn, deployment, environment)
                // Before it counts, so that there is none that nobody has seen.
                try RecoveryKeeping.show(drawn)
                _ = try await renew(access, record.sealed, record.fingerprint)
            } catch {
                throw BackendError(.unavailable, error.description)
            }
        }
    }

    private func renew(
        _ access: any BackendAccess, _ sealed: [UInt8], _ fingerprint: [UInt8]
    ) async throws(StartError) -> RecoveryKeyView {
        do throws(BackendError) {
            return try await access.renewRecoveryKey(
                RecoverySealDocument(sealed: Base64.encode(sealed), fingerprint: Hex.encode(fingerprint)))
        } catch {
            throw StartError("The key that was shown does not count: \(error)")
        }
    }
}
