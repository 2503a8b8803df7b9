import Configuration
import FoundationEssentials
import Server

/// What would keep a start from serving a well-formed configuration: what the files say that it names. It looks, and
/// changes nothing.
struct ServeCheck {
    private let configuration: TidegateConfiguration

    init(_ configuration: TidegateConfiguration) {
        self.configuration = configuration
    }

    /// Sentences; none where a start would get as far as opening the index.
    func problems() async -> [String] {
        var problems: [String] = []
        do throws(StartError) {
            let keys = AccessKeys(configuration)
            _ = try keys.readyPolicies()
            _ = try keys.store(root: configuration.root ?? Self.anyRoot)
        } catch {
            problems.append("\(error)")
        }
        do throws(StartError) {
            try TLSFiles.check(configuration)
            if let tls = ServerSettings.tls(configuration) {
                try await StartError.awaited("tls") { () throws(ServerError) in try await Server.check(tls) }
            }
        } catch {
            problems.append("\(error)")
        }
        let findings = await StoreFinding.find(directories: configuration.pool.directories)
        for finding in findings {
            if let problem = finding.problem { problems.append("pool.directories: \(finding.path): \(problem)") }
        }
        do throws(StartError) {
            // Where there is an index, it may know of backends.
            if !FileManager.default.fileExists(atPath: configuration.index.path) {
                try StoreArrangement.check(configuration.pool, directories: findings.count, backends: 0)
            }
            _ = try StoreArrangement.deployment(findings)
        } catch {
            problems.append("\(error)")
        }
        return problems
    }

    /// Stands for the key that a start would read or draw. No key that is declared may have a slash in its name.
    private static let anyRoot = RootKey(accessKey: "any/root", secretKey: Secret("any secret"))
}

/// The files of TLS, as far as the front does not look at them itself.
enum TLSFiles {
    /// - Throws: A sentence, where others can use the private key.
    static func check(_ configuration: TidegateConfiguration) throws(StartError) {
        guard let tls = configuration.tls else { return }
        do throws(PrivateFileError) {
            try PrivateFile.check(tls.key)
        } catch {
            throw StartError("tls.key: \(error)")
        }
    }
}
