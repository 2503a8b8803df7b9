/// Turns merged values into a configuration, checking what no key can know alone.
struct ConfigurationBuilder {
    private let layers: ConfigurationLayers
    private let readSecretFile: (String) throws(PrivateFileError) -> String
    private(set) var problems: [ConfigurationProblem] = []

    init(_ layers: ConfigurationLayers, readSecretFile: @escaping (String) throws(PrivateFileError) -> String) {
        (self.layers, self.readSecretFile) = (layers, readSecretFile)
    }

    /// The configuration; nil, or to be thrown away, where there are problems then.
    mutating func build() -> TidegateConfiguration? {
        let data = text("data")
        let rootKey = root()
        guard let listen = address("listen"), let admin = admin(besides: listen) else { return nil }
        return TidegateConfiguration(
            data: data, node: text("node"), region: text("region"), accountID: text("account-id"), listen: listen,
            domains: list("domains"), admin: admin, tls: tls(), root: rootKey, keys: keys(besides: rootKey),
            policiesDirectory: optionalText("policies-directory"), signatureV2: choice("signature-v2", .off),
            limits: limits(), pool: pool(in: data),
            expectedLosses: TidegateConfiguration.ExpectedLosses(
                lossesPerYear: decimal("durability.losses-per-year"), repairTime: duration("durability.repair-time"),
                domainLossesPerYear: decimal("durability.domain-losses-per-year")),
            index: TidegateConfiguration.Index(
                path: optionalText("index.path") ?? "\(data)/index.sqlite", journal: choice("index.journal", .async),
                journalLag: duration("index.journal-lag")),
            audit: TidegateConfiguration.Audit(
                directory: optionalText("audit.directory") ?? "\(data)/audit",
                durability: choice("audit.durability", .strict), segmentBytes: integer("audit.segment-size"),
                reserveBytes: integer("audit.reserve")),
            md5: choice("md5", .lanes),
            log: TidegateConfiguration.Log(level: text("log.level"), format: choice("log.format", .text)),
            drainTimeout: duration("drain-timeout"))
    }
}

/// Values by name. A name that the table gives no value to is a mistake of ours, which every test that loads anything
/// shows.
extension ConfigurationBuilder {
    private mutating func note(_ key: String, _ message: String) {
        problems.append(ConfigurationProblem(layers.values[key]?.origin, message))
    }

    private func optionalText(_ name: String) -> String? {
        guard case .text(let text)? = layers.values[name]?.value else { return nil }
        return text
    }

    private mutating func text(_ name: String) -> String {
        if let text = optionalText(name) { return text }
        note(name, "`\(name)` has no value")
        return ""
    }

    private mutating func integer(_ name: String) -> Int64 {
        if case .integer(let number)? = layers.values[name]?.value { return number }
        note(name, "`\(name)` has no value")
        return 0
    }

    private mutating func decimal(_ name: String) -> Double {
        if case .decimal(let number)? = layers.values[name]?.value { return number }
        note(name, "`\(name)` has no value")
        return 0
    }

    private mutating func int(_ name: String) -> Int { Int(integer(name)) }

    private mutating func duration(_ name: String) -> Duration { .milliseconds(integer(name)) }

    private mutating func address(_ name: String) -> ListenAddress? {
        if case .address(let address)? = layers.values[name]?.value { return address }
        note(name, "`\(name)` has no value")
        return nil
    }

    private func list(_ name: String) -> [String] {
        guard case .list(let entries)? = layers.values[name]?.value else { return [] }
        return entries
    }

    private mutating func choice<Choice: RawRepresentable<String>>(_ name: String, _ fallback: Choice) -> Choice {
        Choice(rawValue: text(name)) ?? fallback
    }
}

/// The parts.
extension ConfigurationBuilder {
    private mutating func admin(besides listen: ListenAddress) -> TidegateConfiguration.Admin? {
        guard let address = address("admin.listen") else { return nil }
        if address == listen, address.port != 0 {
            note("admin.listen", "`admin.listen` and `listen` are both \(address): give the admin port one of its own")
        }
        var credential: Secret?
        if let path = optionalText("admin.credential-file") {
            credential = secret(from: path, for: "admin.credential-file")
            if let token = credential?.reveal(), !TextForm.secretKey.accepts(token) {
                note("admin.credential-file", "the token in `\(path)` is not \(TextForm.secretKey.allowed)")
            }
        } else if !address.isLoopback {
            note(
                "admin.listen",
                "`admin.listen` is \(address), which others can reach: set `admin.credential-file`, or listen on "
                    + "127.0.0.1"
            )
        }
        return TidegateConfiguration.Admin(listen: address, credential: credential)
    }

    private mutating func tls() -> TidegateConfiguration.TLS? {
        let mode: TidegateConfiguration.ClientMode = choice("tls.client-mode", .required)
        let authority = optionalText("tls.client-ca")
        let files = (optionalText("tls.certificate"), optionalText("tls.key"))
        if mode != .none, authority == nil {
            note("tls.client-mode", "`tls.client-mode` is \(mode.rawValue), which wants `tls.client-ca`")
        }
        if mode == .none, authority != nil {
            note("tls.client-ca", "`tls.client-ca` does nothing while `tls.client-mode` is none")
        }
        switch files {
        case (let certificate?, let key?):
            return TidegateConfiguration.TLS(
                certificate: certificate, key: key, clientAuthority: authority, clientMode: mode)
        case (_?, nil): note("tls.certificate", "`tls.certificate` wants `tls.key`")
        case (nil, _?): note("tls.key", "`tls.key` wants `tls.certificate`")
        case (nil, nil):
            if mode != .none { note("tls.client-mode", "`tls.client-mode` wants `tls.certificate` and `tls.key`") }
        }
        return nil
    }

    private mutating func root() -> RootKey? {
        switch (optionalText("root.access-key"), optionalText("root.secret-key")) {
        case (let accessKey?, let secret?): return RootKey(accessKey: accessKey, secretKey: Secret(secret))
        case (_?, nil): note("root.access-key", "`root.access-key` wants `root.secret-key`")
        case (nil, _?): note("root.secret-key", "`root.secret-key` wants `root.access-key`")
        case (nil, nil): break
        }
        return nil
    }

    /// The declared keys. CVE-2023-27589: a key equal to the root's would be the root, so that names are unique over
    /// all.
    private mutating func keys(besides root: RootKey?) -> [KeySpecification] {
        var taken: Set<String> = []
        if let root { taken.insert(root.accessKey) }
        var keys: [KeySpecification] = []
        for declaration in layers.keys?.declarations ?? [] {
            if let key = key(declaration) {
                if !taken.insert(key.accessKey).inserted {
                    problems.append(
                        ConfigurationProblem(declaration.origin, "the access key `\(key.accessKey)` is there twice"))
                }
                keys.append(key)
            }
        }
        return keys
    }

    private mutating func key(_ declaration: KeyDeclaration) -> KeySpecification? {
        func problem(_ message: String) -> ConfigurationProblem { ConfigurationProblem(declaration.origin, message) }
        guard TextForm.accessKey.accepts(declaration.accessKey) else {
            problems.append(problem("`access-key` is to be \(TextForm.accessKey.allowed)"))
            return nil
        }
        guard TextForm.node.accepts(declaration.user) else {
            problems.append(problem("`user` is to be \(TextForm.node.allowed)"))
            return nil
        }
        let account = declaration.account ?? text("account-id")
        guard TextForm.accountID.accepts(account) else {
            problems.append(problem("`account` is to be \(TextForm.accountID.allowed)"))
            return nil
        }
        let secret: String
        switch (declaration.secret, declaration.secretFile) {
        case (let text?, nil): secret = text
        case (nil, let path?):
            do {
                secret = try readSecretFile(path)
            } catch {
                problems.append(problem("\(error)"))
                return nil
            }
        default:
            problems.append(problem("the key `\(declaration.accessKey)` needs either `secret` or `secret-file`"))
            return nil
        }
        guard TextForm.secretKey.accepts(secret) else {
            problems.append(
                problem("the secret of `\(declaration.accessKey)` is not \(TextForm.secretKey.allowed)"))
            return nil
        }
        let wantsDirectory = declaration.policies.contains { if case .named = $0 { true } else { false } }
        if wantsDirectory, optionalText("policies-directory") == nil {
            problems.append(problem("policies are named, but `policies-directory` is not set"))
        }
        return KeySpecification(
            accessKey: declaration.accessKey, secret: Secret(secret), user: declaration.user,
            account: account, policies: declaration.policies, origin: declaration.origin)
    }

    private mutating func secret(from path: String, for key: String) -> Secret? {
        do {
            return Secret(try readSecretFile(path))
        } catch {
            note(key, "\(error)")
            return nil
        }
    }

    private mutating func limits() -> TidegateConfiguration.Limits {
        TidegateConfiguration.Limits(
            connections: int("limits.connections"), connectionsPerAddress: int("limits.connections-per-address"),
            requestsInFlight: int("limits.requests-in-flight"), requestsPerAddress: int("limits.requests-per-address"),
            headerBytes: int("limits.header-bytes"), headerCount: int("limits.header-count"),
            requestLineBytes: int("limits.request-line-bytes"), idleTimeout: duration("limits.idle-timeout"),
            headTimeout: duration("limits.head-timeout"), bodyTimeout: duration("limits.body-timeout"))
    }

    private mutating func pool(in data: String) -> TidegateConfiguration.Pool {
        let (dataShards, parityShards) = (int("pool.data-shards"), int("pool.parity-shards"))
        let shards = dataShards + parityShards
        let cellSize = int("pool.cell-size")
        if cellSize % 64 != 0 { note("pool.cell-size", "`pool.cell-size` is to be a multiple of 64") }
        var directories = list("pool.directories")
        let namesDirectories = layers.values["pool.directories"] != nil
        if !namesDirectories { directories = (0..<shards).map { "\(data)/store-\($0)" } }
        if Set(directories).count < directories.count {
            note("pool.directories", "a directory stands twice in `pool.directories`")
        }
        var quorum = dataShards + 1
        if case .integer(let number)? = layers.values["pool.write-quorum"]?.value { quorum = Int(number) }
        if !(dataShards...max(dataShards, shards)).contains(quorum) {
            note("pool.write-quorum", "`pool.write-quorum` is \(quorum); it is to be from \(dataShards) to \(shards)")
        }
        var adaptive: Int?
        if case .integer(let number)? = layers.values["pool.adaptive-parity"]?.value { adaptive = Int(number) }
        if let adaptive, adaptive < parityShards {
            note(
                "pool.adaptive-parity",
                "`pool.adaptive-parity` is \(adaptive), which is less than `pool.parity-shards` (\(parityShards))")
        }
        var repairRate: Int64?
        if case .integer(let number)? = layers.values["pool.repair-rate"]?.value { repairRate = number }
        let (full, warn) = (int("pool.full-above"), int("pool.warn-above"))
        if warn > full {
            note("pool.warn-above", "`pool.warn-above` is \(warn), which is more than `pool.full-above` (\(full))")
        }
        return TidegateConfiguration.Pool(
            dataShards: dataShards, parityShards: parityShards, adaptiveParity: adaptive, cellSize: cellSize,
            directories: directories,
            namesDirectories: namesDirectories, writeQuorum: quorum, spread: choice("pool.spread", .store),
            fullAbove: full, warnAbove: warn,
            hedgeAfter: duration("pool.hedge-after"), hedgeBudget: Int(integer("pool.hedge-budget")),
            stragglerAfter: duration("pool.straggler-after"), scrubInterval: duration("pool.scrub-interval"),
            scrubWithin: duration("pool.scrub-within"), repairRate: repairRate)
    }
}
