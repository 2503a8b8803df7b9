import ArgumentParser
import Audit
import Configuration
import DirectoryStore
import EmbeddedIndex
import FoundationEssentials
import Gateway
import IndexBackup
import Metadata
import Primitives
import Storage
import Workers

/// `tidegate recover`
struct Recover: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Bring the index back from the stores alone.",
        discussion: """
            For the day on which the index, or the whole data directory, is lost: takes the newest snapshot and the \
            journal that the stores keep, and then what the footers of the shards tell of objects that were written \
            after the journal's end. Works while no gateway runs, and never touches an index that is there. Other \
            commits that no store had yet are lost, such as deletions, tags and the ends of uploads. What nothing \
            names any more is kept until `tidegate collect --after-recovery`.

            Where the data directory is lost as well, the recovery key (--recovery-key) opens the credentials of \
            backends again, and any one store tells of the others: a directory, or a backend (--url, --bucket, \
            --credentials).
            """)

    @Option(
        help: ArgumentHelp(
            "A file, readable by its owner alone, with the recovery key; - for standard input.", valueName: "file"))
    var recoveryKey: String?

    @OptionGroup(title: "A backend that is one of the stores")
    var backend: BackendOptions

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let launch = try Launch(options)
        do {
            let source = try source(launch)
            if source == nil { try await ExistingDeployment.require(launch.configuration) }
            try launch.makeDataDirectory()
            let report = try await IndexRestoration(launch, source).run()
            for line in report { print(line) }
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
    }

    private func source(_ launch: Launch) throws(StartError) -> RecoverySource? {
        guard recoveryKey != nil || !backend.isEmpty else { return nil }
        if let recoveryKey, recoveryKey == backend.credentials, recoveryKey.utf8.elementsEqual("-".utf8) {
            throw StartError("Either the recovery key or the credentials come from standard input.")
        }
        let key = try recoveryKey.map { path throws(StartError) in try RecoverySource.key(from: path) }
        let seed = backend.isEmpty ? nil : try backend.declaration("seed")
        return RecoverySource(launch: launch, key: key, seed: seed)
    }
}
