import Configuration
import DirectoryStore
import FoundationEssentials

/// Whether there is a deployment where a command looks for one. `serve` makes one where there is none; every other
/// command would report on an empty one then, as if the one that was meant were in order.
enum ExistingDeployment {
    /// Looks for the index and for stores, and changes nothing.
    ///
    /// - Throws: A sentence, where there is neither.
    static func require(_ configuration: TidegateConfiguration) async throws(StartError) {
        guard !FileManager.default.fileExists(atPath: configuration.index.path) else { return }
        let directories = configuration.pool.directories
        guard !BackendsFile.isThere(configuration) else { return }
        var problems: [String] = []
        for finding in await StoreFinding.find(directories: directories) {
            if finding.inspection?.content == .store { return }
            if let problem = finding.problem { problems.append("\n\(finding.path): \(problem)") }
        }
        throw StartError(
            "There is no deployment at \(configuration.data): \(configuration.index.path) is not there, and none of "
                + "the \(directories.count) directories of pool.directories holds a store." + problems.joined())
    }
}
