import Configuration
import Primitives
import Testing

@Suite("Loading a configuration")
struct ConfigurationLoaderTests {
    private func load(
        _ yaml: String? = nil, environment: [String: String] = [:], settings: [String] = [],
        flags: [(flag: String, key: String, value: String)] = [], secrets: [String: String] = [:]
    ) throws -> LoadedConfiguration {
        try ConfigurationLoader.load(
            ConfigurationSources(
                file: yaml.map { ("t.yaml", $0) }, environment: environment, settings: settings, flags: flags,
                readSecretFile: { path throws(PrivateFileError) in
                    guard let text = secrets[path] else { throw PrivateFileError("`\(path)` cannot be opened") }
                    return text
                }))
    }

    /// The lines of what is wrong.
    private func problems(
        _ yaml: String? = nil, environment: [String: String] = [:], settings: [String] = [],
        flags: [(flag: String, key: String, value: String)] = [], secrets: [String: String] = [:]
    ) -> [String] {
        do {
            _ = try load(yaml, environment: environment, settings: settings, flags: flags, secrets: secrets)
            return []
        } catch let error as ConfigurationError {
            return error.problems.map(\.description)
        } catch {
            return ["another error: \(error)"]
        }
    }

    @Test("turns signatures of version 2 off, and takes no other word for it")
    func signatureV2() throws {
        #expect(try load("signature-v2: off\n").configuration.signatureV2 == .off)
        #expect(try load(environment: ["TIDEGATE_SIGNATURE_V2": "off"]).configuration.signatureV2 == .off)
        for word in ["no", "false", "Off", ""] { #expect(!problems(settings: ["signature-v2=\(word)"]).isEmpty) }
    }

    @Test("takes an empty variable as one that is not there")
    func emptyVariables() throws {
        var environment = ["TIDEGATE_NO_SUCH_KEY": ""]
        for variable in ConfigurationTable.keys.compactMap(\.environmentVariable) { environment[variable] = "" }
        let loaded = try load("region: eu-1\ndomains: [a.example]\n", environment: environment)
        #expect(try loaded.configuration == load("region: eu-1\ndomains: [a.example]\n").configuration)
        #expect(loaded.warnings.isEmpty)
    }

    @Test("takes no secret from a file that others can read, and says in which line it stands")
    func exposedFile() throws {
        func problems(_ yaml: String) -> [String] {
            var sources = ConfigurationSources(file: ("t.yaml", yaml), readSecretFile: { _ in "secret-of-a" })
            sources.fileExposure = PrivateFileError("`t.yaml` can be used by others")
            do {
                _ = try ConfigurationLoader.load(sources)
                return []
            } catch {
                return error.problems.map(\.description)
            }
        }
        let wanted = "a secret stands here, but `t.yaml` can be used by others"
        let key = "region: a\nkeys:\n  - {access-key: AAAA, user: a, "
        #expect(problems("region: a\n").isEmpty)
        #expect(problems(key + "secret-file: f}\n").isEmpty)
        #expect(problems(key + "secret: secret-of-a}\n") == ["t.yaml:3: \(wanted)"])
        #expect(problems("root:\n  access-key: AAAA\n  secret-key: secret-of-a\n") == ["t.yaml:3: \(wanted)"])
    }

    @Test(
        "names the second line of a key that stands twice",
        arguments: [
            ("region: a\n\nnode: b\nregion: c\n", "4", ": before in line 1"),
            ("limits:\n  header-count: 9\npool:\n  cell-size: 64\n  \"cell-size\": 128\n", "5", ": before in line 4"),
            ("keys:\n  - user: a\n    access-key: b\n  - user: c\n    user: d\n", "5", ": before in line 4"),
            ("tls: {key: a, key: b}\n", "1", ""),
        ])
    func duplicates(_ yaml: String, _ line: String, _ before: String) {
        let found = problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.hasPrefix("t.yaml:\(line): the key `") == true, "\(found)")
        #expect(found.first?.hasSuffix("` stands twice in one group\(before)") == true, "\(found)")
    }

    @Test("has defaults for everything")
    func defaults() throws {
        let configuration = try load().configuration
        #expect(configuration.data == "data")
        #expect(configuration.listen == ListenAddress(host: "127.0.0.1", port: 9000))
        #expect(configuration.admin.listen == ListenAddress(host: "127.0.0.1", port: 9001))
        #expect(configuration.region == "us-east-1")
        #expect(configuration.accountID == "000000000000")
        #expect(configuration.domains == [])
        #expect(configuration.root == nil)
        #expect(configuration.signatureV2 == .on)
        #expect(configuration.tls == nil)
        #expect(configuration.limits.connections == 1024)
        #expect(configuration.limits.headerBytes == 32 << 10)
        #expect(configuration.limits.idleTimeout == .seconds(75))
        #expect(configuration.pool.dataShards == 4)
        #expect(configuration.pool.directories == (0..<6).map { "data/store-\($0)" })
        #expect(configuration.pool.writeQuorum == 5)
        #expect(configuration.pool.cellSize == 128 << 10)
        #expect(configuration.pool.hedgeAfter == .milliseconds(250))
        #expect(configuration.pool.hedgeBudget == 5 && configuration.pool.stragglerAfter == .seconds(3))
        #expect(configuration.index.path == "data/index.sqlite")
        #expect(configuration.index.journal == .async)
        #expect(configuration.index.journalLag == .seconds(1))
        #expect(configuration.audit.directory == "data/audit")
        #expect(configuration.audit.durability == .bounded)
        #expect(configuration.md5 == .lanes)
        #expect(configuration.log.format == .text)
        #expect(configuration.drainTimeout == .seconds(30))
    }

    @Test("takes file, environment, --set and flags, the later over the earlier")
    func precedence() throws {
        let yaml = "region: file-1\n"
        let environment = ["TIDEGATE_REGION": "environment-1"]
        let flags = [(flag: "--region", key: "region", value: "flag-1")]
        #expect(try load(yaml).configuration.region == "file-1")
        #expect(try load(yaml, environment: environment).configuration.region == "environment-1")
        let set = try load(yaml, environment: environment, settings: ["region=set-1"])
        #expect(set.configuration.region == "set-1")
        #expect(set.effective.contains { $0.key == "region" && $0.origin == .setting("region") })
        let all = try load(yaml, environment: environment, settings: ["region=set-1"], flags: flags)
        #expect(all.configuration.region == "flag-1")
    }

    @Test(
        "takes every key from the environment",
        arguments: ConfigurationTable.keys.filter { $0.environmentVariable != nil })
    func environment(_ key: ConfigurationKey) throws {
        let variable = try #require(key.environmentVariable)
        #expect(variable.utf8.allSatisfy { $0 == 0x5F || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0) })
        // The right kind of value may still need another key beside it; that the key is met is what counts here.
        let text = key.defaultText ?? ""
        let found = problems(environment: [variable: text == "" ? "\u{1}" : "\u{1}\(text)"])
        if case .text(.path) = key.kind { return }
        if case .list(.path) = key.kind { return }
        #expect(found.count == 1)
        #expect(found.first?.contains(variable) == true)
        #expect(found.first?.contains(key.name) == true)
    }

    @Test("warns about variables that set nothing, and lets others be")
    func strangeEnvironment() throws {
        let loaded = try load(environment: [
            "TIDEGATE_POOL_DATA_SHARD": "4", "PATH": "/bin", "TIDEGATE_PORT": "tcp://10.0.0.1",
        ])
        #expect(loaded.warnings.count == 2)
        #expect(loaded.warnings.first?.contains("did you mean TIDEGATE_POOL_DATA_SHARDS?") == true)
    }

    @Test(
        "refuses an unknown key with its line and what may have been meant",
        arguments: [
            (
                "data: x\npool:\n  data-shard: 4\n",
                "t.yaml:3: unknown key `pool.data-shard`; did you mean `pool.data-shards`?"
            ),
            ("lisen: 127.0.0.1:1\n", "t.yaml:1: unknown key `lisen`; did you mean `listen`?"),
            ("\n\nparity-shards: 2\n", "t.yaml:3: unknown key `parity-shards`; did you mean `pool.parity-shards`?"),
            (
                "audit:\n  durabilty: strict\n",
                "t.yaml:2: unknown key `audit.durabilty`; did you mean `audit.durability`?"
            ),
            ("frobnicate: 1\n", "t.yaml:1: unknown key `frobnicate`; see `tidegate config --explain`"),
            (
                "keys:\n  - acess-key: a\n",
                "t.yaml:2: unknown key `acess-key` in an entry of `keys`; did you mean `access-key`?"
            ),
        ])
    func unknownKeys(_ yaml: String, _ expected: String) {
        #expect(problems(yaml).first == expected)
    }

    @Test(
        "refuses a wrong value with its line and what is allowed",
        arguments: [
            (
                "pool:\n  data-shards: 0\n",
                "t.yaml:2: the value `0` of `pool.data-shards` is not a whole number from 1 to 32"
            ),
            ("pool:\n  data-shards: four\n", "a whole number from 1 to 32"),
            ("pool:\n  data-shards: [4]\n", "t.yaml:2: `pool.data-shards` is to be a whole number"),
            ("pool:\n  data-shards: 99999999999999999999\n", "a whole number"),
            ("pool:\n  cell-size: 1TiB\n", "a size from 64 to 4MiB"),
            ("pool:\n  cell-size: 100\n", "a multiple of 64"),
            ("pool: 4\n", "t.yaml:1: `pool` is a group of keys"),
            ("listen: 9000\n", "HOST:PORT"),
            ("listen: \"::1:9000\"\n", "HOST:PORT"),
            ("listen: 127.0.0.1:65536\n", "HOST:PORT"),
            ("drain-timeout: 30\n", "as 500ms, 30s, 5m or 1h"),
            ("audit:\n  durability: Strict\n", "one of bounded, strict"),
            ("account-id: 123\n", "12 digits"),
            ("domains: [a..b]\n", "a domain name in lower case"),
            ("domains: [{a: b}]\n", "t.yaml:1: `domains` is to be a list"),
            ("- a\n- b\n", "t.yaml:1: the file is to hold keys and values"),
            ("data: \"unfinished\n", "not YAML"),
            ("data: a\ndata: b\n", "the key `data` stands twice"),
            ("data: a\n\tregion: b\n", "t.yaml:2: not YAML"),
        ])
    func wrongValues(_ yaml: String, _ expected: String) {
        let found = problems(yaml)
        #expect(found.count == 1)
        #expect(found.first?.contains(expected) == true, "\(found)")
    }

    @Test("tells everything that is wrong at once")
    func severalProblems() {
        let found = problems("regoin: x\npool:\n  data-shards: 0\n", settings: ["nothing", "log.level=loud"])
        #expect(found.count == 4)
    }

    @Test(
        "refuses what does not fit together",
        arguments: [
            ("tls: {certificate: c.pem}\n", "wants `tls.key`"),
            ("tls: {key: k.pem}\n", "wants `tls.certificate`"),
            ("tls: {certificate: c, key: k, client-mode: required}\n", "wants `tls.client-ca`"),
            ("tls: {certificate: c, key: k, client-ca: a}\n", "does nothing while `tls.client-mode` is none"),
            ("tls: {client-mode: required, client-ca: a}\n", "wants `tls.certificate` and `tls.key`"),
            ("root: {access-key: root}\n", "wants `root.secret-key`"),
            ("root: {secret-key: rootsecret}\n", "wants `root.access-key`"),
            ("pool: {directories: [a, b, c, d, e, a]}\n", "stands twice"),
            ("pool: {write-quorum: 3}\n", "from 4 to 6"),
            ("pool: {write-quorum: 7}\n", "from 4 to 6"),
            ("admin: {listen: \"0.0.0.0:9001\"}\n", "set `admin.credential-file`"),
            ("admin: {listen: \"[::]:9001\"}\n", "set `admin.credential-file`"),
            ("admin: {listen: \"example.org:9001\"}\n", "set `admin.credential-file`"),
            ("admin: {listen: \"127.0.0.1:9000\"}\n", "are both 127.0.0.1:9000"),
            ("admin: {listen: \"0.0.0.0:9001\", credential-file: none}\n", "`none` cannot be opened"),
            (
                "keys:\n- {access-key: ann, user: ann}\n",
                "t.yaml:2: the key `ann` needs either `secret` or `secret-file`"
            ),
            (
                "keys:\n- {access-key: ann, secret: annsecret, secret-file: f, user: ann}\n",
                "either `secret` or `secret-file`"
            ),
            ("keys:\n- {access-key: ann, secret: annsecret}\n", "needs access-key and user"),
            ("keys:\n- {access-key: a, secret: annsecret, user: ann}\n", "`access-key` is to be 3 to 128"),
            ("keys:\n- {access-key: ann, secret: short, user: ann}\n", "8 to 256 visible ASCII"),
            (
                "keys:\n- {access-key: ann, secret: annsecret, user: ann, policies: [p]}\n",
                "`policies-directory` is not set"
            ),
            (
                "policies-directory: p\nkeys:\n- {access-key: ann, secret: annsecret, user: ann, policies: [../x/y]}\n",
                "no name of a policy"
            ),
        ])
    func inconsistencies(_ yaml: String, _ expected: String) {
        let found = problems(yaml)
        #expect(found.contains { $0.contains(expected) }, "\(found)")
    }

    @Test("CVE-2023-27589: refuses a key equal to the root's, and one that is there twice")
    func duplicateKeys() {
        let key = "- {access-key: the-root, secret: annsecret, user: ann}\n"
        let root = "root: {access-key: the-root, secret-key: rootsecret}\n"
        #expect(problems(root + "keys:\n" + key).first?.contains("is there twice") == true)
        #expect(problems("keys:\n" + key + key).first == "t.yaml:3: the access key `the-root` is there twice")
        #expect(problems("keys:\n" + key) == [])
    }

    @Test("reads keys with their policies")
    func keys() throws {
        let yaml = """
            policies-directory: policies
            keys:
              - access-key: ann-key
                secret: annsecret
                user: ann
                policies:
                  - read-only
                  - Version: 2012-10-17
                    Statement:
                      - Effect: Allow
                        Action: ["s3:GetObject"]
                        Resource: "*"
                        Condition: {Bool: {"aws:SecureTransport": true}}
              - {access-key: bob-key, secret-file: bob, user: bob}
            """
        let keys = try load(yaml, secrets: ["bob": "bobsecret"]).configuration.keys
        #expect(keys.map(\.accessKey) == ["ann-key", "bob-key"])
        #expect(keys.map { $0.secret.reveal() } == ["annsecret", "bobsecret"])
        #expect(keys[1].policies == [])
        #expect(keys[0].policies.first == .named("read-only"))
        guard case .inline(let policy) = keys[0].policies[1] else {
            Issue.record("the second policy is written out")
            return
        }
        #expect(policy["Version"] == "2012-10-17")
        #expect(policy["Statement"]?.arrayValue?.first?["Condition"]?["Bool"]?["aws:SecureTransport"] == true)
    }

    @Test("takes the admin port's credential from its file")
    func adminCredential() throws {
        let yaml = "admin: {listen: \"0.0.0.0:9001\", credential-file: token}\n"
        let admin = try load(yaml, secrets: ["token": "long-enough"]).configuration.admin
        #expect(admin.credential?.reveal() == "long-enough")
        #expect(problems(yaml, secrets: ["token": ""]).count == 1)
        #expect(problems(yaml, secrets: ["token": "short"]).first?.contains("short") == false)
    }

    @Test("takes no secret from the command line, and shows none")
    func secrets() throws {
        let found = problems(settings: ["root.access-key=root", "root.secret-key=VERYSECRET"])
        #expect(found.count == 1)
        #expect(found.first?.contains("TIDEGATE_ROOT_SECRET_KEY") == true)
        #expect(
            problems(environment: ["TIDEGATE_ROOT_SECRET_KEY": "TINY\u{1}SECRET"]).allSatisfy { !$0.contains("TINY") })
        let environment = ["TIDEGATE_ROOT_ACCESS_KEY": "root", "TIDEGATE_ROOT_SECRET_KEY": "VERYSECRET"]
        let yaml = "keys:\n- {access-key: ann, secret: VERYSECRET, user: ann}\n"
        let loaded = try load(yaml, environment: environment)
        #expect(loaded.configuration.root?.secretKey.reveal() == "VERYSECRET")
        var shown = "\(loaded.configuration)\(loaded.effective)\(String(reflecting: loaded.configuration))"
        dump(loaded.configuration, to: &shown)
        #expect(!shown.contains("VERYSECRET"))
        #expect(shown.contains("(secret)"))
    }

    @Test("CVE-class of open starts: no combination leaves the admin port open to others without a credential")
    func noOpenAdmin() throws {
        for host in ["0.0.0.0", "[::]", "192.0.2.1", "[2001:db8::1]", "host.example", "127.0.0.1.example", "128.0.0.1"]
        {
            #expect(!problems(settings: ["admin.listen=\(host):9001"]).isEmpty, "\(host)")
        }
        for host in ["127.0.0.1", "127.8.9.10", "[::1]", "localhost"] {
            #expect(problems(settings: ["admin.listen=\(host):9001"]).isEmpty, "\(host)")
        }
    }
}
