import ArgumentParser
import Configuration
import DirectoryStore
import EmbeddedIndex
import FoundationEssentials
import Gateway
import Metadata
import Primitives
import RemoteStore

/// `tidegate export-manifest`
struct ExportManifest: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Write down what it takes to rebuild objects from their shards without Tidegate.",
        discussion: """
            The manifest has a line of JSON for every version of every object: what it is, and where its shards are. \
            It shows one moment, whether or not a gateway serves the same data meanwhile; what is written, moved or \
            deleted later is not in it. It holds no secrets. --script writes the program that rebuilds objects by it, \
            which needs Python 3 alone.
            """)

    @Option(
        help: ArgumentHelp(
            "The file for the manifest: of mode 0600, and only once it is whole.", valueName: "file"))
    var output: String?

    @Option(help: "Objects of this bucket only; may be repeated.")
    var bucket: [String] = []

    @Option(help: "Objects only whose keys begin so.")
    var prefix: String?

    @Option(help: ArgumentHelp("A file for the program that rebuilds objects.", valueName: "file"))
    var script: String?

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard output != nil || script != nil else {
            throw ValidationError("Give --output FILE, --script FILE or both.")
        }
    }

    func run() async throws {
        do {
            if let script { try Self.write(PackageResources.rebuild_py, to: script) }
            if let output { print(try await export(to: output, Launch(options))) }
        } catch let error as ExitCode {
            throw error
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(StartError) {
        try StartError.translated("The program") { () throws(PrivateFileError) in
            var draft = try PrivateDraft(path)
            try draft.append(bytes)
            try draft.publish()
        }
    }

    /// - Returns: What was written, as a sentence.
    private func export(to output: String, _ launch: Launch) async throws(StartError) -> String {
        let path = launch.configuration.index.path
        guard FileManager.default.fileExists(atPath: path) else {
            throw StartError("The index \(path) is missing. `tidegate recover` brings it back from the stores.")
        }
        let view = try await StartError.awaited("The index \(path)") { () throws(IndexOpenError) in
            try await IndexView.open(path: path)
        }
        do throws(StartError) {
            let sentence = try await export(view, to: output, launch)
            await view.close()
            return sentence
        } catch {
            await view.close()
            throw error
        }
    }

    private func export(_ view: IndexView, to output: String, _ launch: Launch) async throws(StartError) -> String {
        let registry = try await StoreRegistry.read(view)
        let stores = registry.stores.compactMapValues { ExportedStore($0) }
        let head = ExportHead(
            deployment: try await Self.deployment(view), commit: view.version, created: launch.environment.now(),
            stores: stores)
        let objects = ObjectExport(view, registry.placements, stores: stores)
        let selection = ObjectExport.Selection(buckets: bucket, prefix: Array((prefix ?? "").utf8))
        let bar = ProgressLine()
        let count: ObjectExport.Count
        do {
            var draft = try PrivateDraft(output)
            try draft.append(head.line + [UInt8(ascii: "\n")])
            var lines = 0
            count = try await objects.write(selection) { line throws(ExportError) in
                do throws(PrivateFileError) {
                    try draft.append(line)
                } catch {
                    throw .output("\(error)")
                }
                lines += 1
                if lines % 10_000 == 0 { bar.show("\(lines) versions") }
            }
            try draft.publish()
        } catch {
            bar.clear()
            throw StartError("\(error)")
        }
        bar.clear()
        return "\(output) tells of \(Counted(count.versions, "version")) of \(Counted(count.bytes, "byte")), as of "
            + "commit \(view.version)."
    }

    private static func deployment(_ view: IndexView) async throws(StartError) -> [UInt8] {
        let entry = try await StartError.awaited("The index") { () throws(MetadataError) in
            try await view.values(of: [Keys.deployment])[0]
        }
        guard let entry else { throw StartError("The index holds no deployment yet: no gateway was started on it.") }
        return try StartError.translated("The index") { () throws(RecordError) in
            try DeploymentRecord(encoded: entry.value)
        }.id
    }
}

extension ExportedStore {
    /// What a manifest tells of a store.
    init(_ store: StoreRecord) {
        guard let backend = store.backend else {
            self.init(JSONObject([("kind", "directory"), ("directory", .string(store.place))]), member: "path") {
                DirectoryStore.filePath(of: $0)
            }
            return
        }
        var description = JSONObject([
            ("kind", "s3"), ("name", .string(backend.name)), ("url", .string(backend.url)),
            ("bucket", .string(backend.bucket)), ("prefix", .string(backend.prefix)),
            ("region", .string(backend.signingRegion)), ("addressing", .string(backend.addressing)),
        ])
        if let authorities = backend.authorities { description["authorities"] = .string(authorities) }
        self.init(description, member: "key") { RemoteStore.key(of: $0, prefix: backend.prefix) }
    }
}
