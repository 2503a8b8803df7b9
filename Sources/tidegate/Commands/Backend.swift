import ArgumentParser
import Configuration
import FoundationEssentials

/// `tidegate backend`
struct Backend: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Buckets of other S3 services, as stores of the pool.",
        discussion: """
            Each command asks the running gateway, on its admin port and signed with the root key, or works on the \
            data by itself where no gateway runs.
            """,
        subcommands: [
            BackendAttach.self, BackendProbeCommand.self, BackendList.self, BackendCredentialsCommand.self,
            BackendDrain.self, BackendDetach.self, BackendStores.self, BackendWeight.self,
            BackendRebalanceCommand.self,
            BackendCapacity.self,
        ])
}

/// How a backend is reached and what is said of it.
struct BackendOptions: ParsableArguments {
    @Option(help: "The service: http:// or https://, a host and perhaps a port.")
    var url: String?

    @Option(help: "The bucket, which holds nothing but what Tidegate puts there.")
    var bucket: String?

    @Option(help: "A prefix for every key, so that a bucket can be shared.")
    var prefix: String?

    @Option(
        help: ArgumentHelp(
            "A file, readable by its owner alone, with the lines `access-key: …` and `secret-key: …`, and perhaps "
                + "`session-token: …`; - for standard input.", valueName: "file"))
    var credentials: String?

    @Option(help: "minio, ceph-rgw, truenas or s3 (s3).")
    var profile: String?

    @Option(help: "The region that requests are signed for (us-east-1).")
    var signingRegion: String?

    @Option(help: "path or virtual-host (path).")
    var addressing: String?

    @Option(
        name: .customLong("ca"),
        help: ArgumentHelp("The certificates that are trusted instead of the system's, PEM.", valueName: "file"))
    var authorities: String?

    @Option(
        name: .customLong("pin"),
        help: ArgumentHelp(
            "The SHA-256 of a public key that the server must have, Base64; may be repeated.", valueName: "digest"))
    var pins: [String] = []

    /// Whether nothing is said of a backend.
    var isEmpty: Bool { url == nil && bucket == nil && credentials == nil }

    /// What is declared, with the credentials read.
    func declaration(_ name: String) throws(StartError) -> BackendDeclaration {
        guard let url, let bucket, let credentials else {
            throw StartError("A backend is named by --url, --bucket and --credentials.")
        }
        let read = try BackendCredentials.read(credentials)
        var declaration = BackendDeclaration(
            name: name, url: url, bucket: bucket,
            credentials: BackendDeclaration.Credentials(
                accessKey: read.accessKey, secretKey: read.secret.reveal(), sessionToken: read.sessionToken?.reveal()))
        (declaration.prefix, declaration.profile, declaration.signingRegion) = (prefix, profile, signingRegion)
        (declaration.addressing, declaration.pinnedKeys) = (addressing, pins)
        if let authorities {
            guard let data = FileManager.default.contents(atPath: authorities) else {
                throw StartError("`\(authorities)` cannot be read.")
            }
            declaration.authorities = String(decoding: data, as: UTF8.self)
        }
        return declaration
    }
}

/// `tidegate backend attach`
struct BackendAttach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "attach", abstract: "Take a bucket into the pool as a store.",
        discussion: """
            The backend is probed first, and refused where it cannot keep the laws of stores. What is said of its \
            region, zone, provider and hosts keeps shards of one object apart (pool.spread).

            With --adopt the bucket does not become a store: the objects that it has are shown in a bucket of this \
            gateway as they are, and served from where they are. `tidegate backend drain` moves them into the pool.
            """)

    @Argument(help: "What the backend is called from now on.")
    var name: String

    @OptionGroup(title: "Backend")
    var backend: BackendOptions

    @Option(
        help: ArgumentHelp(
            "The bucket whose objects are to be shown as they are, in place of --bucket.", valueName: "bucket"))
    var adopt: String?

    @Option(
        name: .customLong("as"),
        help: ArgumentHelp(
            "The bucket in which they are shown; made where there is none. (that of --adopt)", valueName: "bucket"))
    var adoptedAs: String?

    @Option(help: "durable, or buffered for a service that answers before it syncs (durable).")
    var durability: String?

    @Flag(help: "Accept that a buffered backend may lose what it acknowledged.")
    var acceptBuffered = false

    @Option(help: "The region where it is.")
    var region: String?

    @Option(help: "The zone of the region.")
    var zone: String?

    @Option(help: "Who runs it.")
    var provider: String?

    @Option(name: .customLong("host"), help: "A machine that it runs on; may be repeated.")
    var hosts: [String] = []

    @Option(help: "How much it is to hold, beside the other stores: 1 to 10000 (100).")
    var weight: Int?

    @Option(help: "How much it can hold, such as 10TiB: a full one is given no new shards while others have room.")
    var capacity: String?

    @Option(
        help: ArgumentHelp(
            "What `ceph osd crush dump` gives of the cluster that it is: backends of rules that can choose one host, "
                + "or one rack where that is what a rule keeps apart, fail together.", valueName: "file"))
    var crush: String?

    @Option(
        name: .customLong("crush-rule"),
        help: ArgumentHelp("A CRUSH rule of the bucket's pools; may be repeated.", valueName: "name"))
    var crushRules: [String] = []

    @Option(
        name: .customLong("crush-fsid"),
        help: ArgumentHelp(
            "The cluster's id, as `ceph fsid` gives it: for all of its buckets or none.", valueName: "id"))
    var crushFSID: String?

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard (crush != nil) == !crushRules.isEmpty, crush != nil || crushFSID == nil else {
            throw ValidationError("Give --crush and --crush-rule together; --crush-fsid is for both.")
        }
    }

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            var declaration: BackendDeclaration
            do throws(StartError) {
                declaration = try declared()
            } catch {
                throw .invalid(error.description)
            }
            (declaration.durability, declaration.acceptBuffered) = (durability, acceptBuffered)
            (declaration.region, declaration.zone, declaration.provider) = (region, zone, provider)
            declaration.weight = weight
            declaration.capacity = try capacity.map { text throws(BackendError) in try BackendCapacity.bytes(text) }
            // Of a large map only the domains are sent.
            declaration.hosts = try hosts + crushDomains()
            let view = try await access.attach(declaration)
            BackendText.print(view.findings)
            let when = access.isLive ? "" : " from the next start on"
            if let store = view.store {
                print("\(view.name) is store \(store) of the pool\(when).")
            } else {
                print("The objects of \(view.name) are shown in the bucket \(view.shownIn ?? "")\(when).")
            }
        }
    }

    private func declared() throws(StartError) -> BackendDeclaration {
        guard let adopt else {
            guard adoptedAs == nil else { throw StartError("--as goes with --adopt.") }
            return try backend.declaration(name)
        }
        guard backend.bucket == nil else { throw StartError("A bucket is either a store (--bucket) or adopted.") }
        var options = backend
        options.bucket = adopt
        var declaration = try options.declaration(name)
        (declaration.adopted, declaration.adoptedAs) = (true, adoptedAs)
        return declaration
    }

    private func crushDomains() throws(BackendError) -> [String] {
        guard let crush else { return [] }
        return try CrushDeclaration(file: crush, rules: crushRules, fsid: crushFSID).domains()
    }
}

/// `tidegate backend probe`
struct BackendProbeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "probe", abstract: "Measure what an attached backend can do, and keep what was found.",
        discussion: """
            Some seventy objects are written below the backend's prefix, and removed again; some 20 MiB go over the \
            wire. Exits with 0 where the backend keeps the laws of stores, and with 1 otherwise.
            """)

    @Argument(help: "The backend.")
    var name: String

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let view = try await access.probe(name)
            BackendText.print(view.findings)
            let refused = view.findings.filter { $0.verdict.utf8.elementsEqual("refused".utf8) }
            guard refused.isEmpty else {
                throw BackendError(.refused, "\(name) does not keep the laws of stores any more.")
            }
        }
    }
}

/// `tidegate backend list`
struct BackendList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Tell of every backend, attached or not any more.")

    @Flag(help: "As JSON, with everything that the last probe found.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let views = try await access.list()
            if json {
                print(String(decoding: try AdminJSON.encode(views), as: UTF8.self), terminator: "")
            } else {
                BackendText.print(views, isLive: access.isLive)
            }
        }
    }
}

/// `tidegate backend credentials`
struct BackendCredentialsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "credentials", abstract: "Give a backend other credentials, from the next request on.",
        discussion: "They are tried first: what the backend refuses is not taken.")

    @Argument(help: "The backend.")
    var name: String

    @Option(
        help: ArgumentHelp(
            "A file, readable by its owner alone, with the lines `access-key: …` and `secret-key: …`, and perhaps "
                + "`session-token: …`; - for standard input.", valueName: "file"))
    var credentials: String

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let read: BackendCredentials
            do throws(StartError) {
                read = try BackendCredentials.read(credentials)
            } catch {
                throw .invalid(error.description)
            }
            _ = try await access.rotate(name, read)
            print("\(name) is asked with the new credentials from now on.")
        }
    }
}

/// `tidegate backend drain`
struct BackendDrain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Have what a backend holds go elsewhere, and give it nothing more.",
        discussion: "Returns at once; `tidegate backend list` tells how much is left.")

    @Argument(help: "The backend.")
    var name: String

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            _ = try await access.drain(name)
            let when = access.isLive ? "" : " once a gateway runs"
            print("\(name) is given nothing more; what it holds goes elsewhere\(when).")
        }
    }
}

/// `tidegate backend detach`
struct BackendDetach: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "detach", abstract: "Let go of a backend that was drained.",
        discussion: "Its credentials are forgotten, and nothing of Tidegate's is left in a bucket that answers.")

    @Argument(help: "The backend.")
    var name: String

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let view = try await access.detach(name)
            print("\(name) is detached\(view.absence.map { "; \($0)" } ?? "").")
        }
    }
}

/// `tidegate backend rebalance`
struct BackendRebalanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "rebalance", abstract: "Move shards so that every store holds its share.",
        discussion: """
            New stores are given shards of new objects alone. This moves those of the others too, until each lies \
            where a new object's would: it is copied, read back, named by the index, and only then removed where it \
            was. Returns at once; the gateway works on it, also after a restart. pool.repair-rate bounds what is \
            written in a second.
            """)

    @Flag(help: "Tell how far that is.")
    var status = false

    @Flag(help: "Leave everything where it is by now.")
    var stop = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func validate() throws {
        guard !(status && stop) else { throw ValidationError("Give --status or --stop.") }
    }

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            if status {
                BackendText.print(try await access.rebalancing())
            } else if stop {
                _ = try await access.stopRebalance()
                print("Nothing more is moved.")
            } else {
                _ = try await access.rebalance()
                let when = access.isLive ? "" : " once a gateway runs"
                print("Shards are moved to where the list of stores has them\(when).")
            }
        }
    }
}
