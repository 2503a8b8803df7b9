import NIOSSL
import Primitives
import Storage
import Synchronization
import Testing
import TidegateTesting

@testable import RemoteStore

@Suite struct BackendProbeTests {
    @Test func takesWhoKeepsTheLaws() async throws {
        let outcome = try await ProbeUnderTest().run()
        let expected: [Ability: ProbeFinding.Verdict] = [.tls: .limited, .durabilityHint: .unknown]
        for finding in outcome.report.findings {
            #expect(finding.verdict == expected[finding.ability] ?? .good, "\(finding)")
        }
        #expect(outcome.report.isAcceptable && outcome.report.refusals.isEmpty)
        #expect(outcome.left.isEmpty)
        let abilities = outcome.report.abilities
        #expect(abilities.server == "Fake/1" && abilities.clockSkew == .zero && abilities.checksSignatures == true)
        #expect(abilities.versioning == .off && abilities.objectLock == .off && abilities.rangeReads == true)
        #expect(abilities.listPageLimit == 1000 && abilities.honoursPageLimit == true)
        #expect(abilities.listsAllInByteOrder == true && abilities.multipart == true)
        #expect(abilities.leastPartBytes == 200_000 && abilities.partPageLimit == 1000)
        #expect(abilities.listsUploads == true && abilities.conditionalPut == true)
        #expect(abilities.checksumEcho == true && abilities.payloadHash == true && abilities.eTag == .md5)
        #expect(abilities.putLatency != nil && abilities.getLatency != nil)
    }

    @Test(arguments: ProbeLie.all) func seesThrough(_ lie: ProbeLie) async throws {
        let outcome = try await ProbeUnderTest(bucket: lie.bucket, lie: lie.lie).run()
        let finding = try #require(outcome.finding(lie.ability))
        #expect(finding.verdict == lie.verdict, "\(finding)")
        let others = outcome.report.findings.filter { $0.verdict == .refused && $0.ability != lie.ability }
        // What is wrong with one ability is told of it, or of it first.
        let order = Ability.allCases
        for other in others {
            let isLater = (order.firstIndex(of: other.ability) ?? 0) > (order.firstIndex(of: lie.ability) ?? 0)
            #expect(isLater && lie.verdict == .refused, "\(other)")
        }
        #expect(outcome.report.isAcceptable == (lie.verdict != .refused))
        #expect(outcome.report.refusals.contains { $0.ability == lie.ability } == (lie.verdict == .refused))
        if lie.verdict == .refused, let law = lie.ability.law { #expect(finding.detail.contains(law)) }
        for finding in outcome.report.findings {
            #expect(!finding.detail.contains("EVIL"), "\(finding)")
            #expect(finding.detail.hasSuffix(".") || finding.detail.hasSuffix("?"), "\(finding)")
        }
        // What stays is told, and nothing stays but what was made to.
        let isTold = outcome.verdict(.removal) == .limited
        #expect(outcome.left.isEmpty || isTold, "\(outcome.left)")
        #expect(outcome.left.count <= 1)
    }

    @Test func writesNothingToABucketThatWouldKeepIt() async throws {
        let keeping = ProbeLie.bucket.filter { $0.verdict == .refused && $0.ability != .lifecycle }
        #expect(keeping.count == 2)
        for lie in keeping + ProbeLie.access.filter({ $0.verdict == .refused }) {
            let outcome = try await ProbeUnderTest(bucket: lie.bucket, lie: lie.lie).run()
            #expect(outcome.requests.allSatisfy { $0.method == "GET" }, "\(lie.testDescription)")
            #expect(outcome.verdict(.removal) == .good && outcome.verdict(.readAfterWrite) == .unknown)
        }
    }

    @Test func writesInAFolderOfItsOwn() async throws {
        var folders: Set<String> = []
        for seed in [1, 2] as [UInt64] {
            let outcome = try await ProbeUnderTest(
                environment: SimulatedEnvironment(seed: seed, sleeping: .skipping)
            ).run()
            for request in outcome.requests where ["PUT", "POST", "DELETE"].contains(request.method) {
                let parts = request.target.split(separator: "/").map(String.init)
                #expect(parts[0] == "bucket" && parts[1] == "pool" && parts[2].hasPrefix("probe-"))
                folders.insert(parts[2])
            }
            let bytes = outcome.requests.reduce(0) { $0 + $1.body.count }
            #expect(bytes < 1_000_000)
        }
        #expect(folders.count == 2)
    }

    /// What the probe's own cost is with the sizes that it has, both ways.
    @Test func sendsLittle() {
        let sizes = BackendProbe.Sizes()
        #expect(2 * sizes.part + sizes.torn + 2 * sizes.long <= 20 << 20)
    }

    @Test func aRequestThatBreaksOffIsSeenToBePublished() async throws {
        var probe = ProbeUnderTest(tornBytes: BackendProbe.Sizes().torn)
        probe.onHead = { request, backend in
            guard request.target.contains("/torn"), !request.body.isEmpty else { return nil }
            let key = String(request.target.dropFirst("/bucket/".count))
            backend.put(key, request.body)
            return nil
        }
        let outcome = try await probe.run()
        #expect(outcome.verdict(.wholeOrAbsent) == .refused)
        #expect(outcome.report.refusals.first?.detail.contains("wholly there under its name or not there") == true)
        #expect(outcome.left.isEmpty)
    }

    /// What may pass is no refusal, but the backend is not taken before it was seen.
    @Test func aBackendThatIsBusyIsNotKnown() async throws {
        let lie = ProbeLie.instead(of: .put, "again") { _ in .error(503, "SlowDown") }
        let outcome = try await ProbeUnderTest(lie: lie).run()
        #expect(outcome.verdict(.overwrite) == .unknown && outcome.verdict(.throughput) == .good)
        #expect(outcome.report.refusals.map(\.ability) == [.overwrite] && !outcome.report.isAcceptable)
        let idle = ProbeLie.instead(of: .put, "etag") { _ in .error(503, "SlowDown") }
        let other = try await ProbeUnderTest(lie: idle).run()
        #expect(other.verdict(.eTag) == .unknown && other.report.isAcceptable)
    }

    /// Whatever a backend lists for removal.
    @Test func removesNothingElse() async throws {
        let foreign = ["pool/identity", "pool/blobs/\(someName)", "other", "pool/probe-", "pool/probe-0/list/x"]
        var probe = ProbeUnderTest()
        probe.bucket.versioning = "Suspended"
        probe.lie = { call, _, honest in
            let isLast = call.query["prefix"]?.hasSuffix("/") == true
            switch call.kind {
            case .list where call.query["max-keys"] == "400":
                let contents = foreign.map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
                return .document("<ListBucketResult>\(contents)</ListBucketResult>")
            case .versions where isLast:
                let versions = foreign.map { "<Version><Key>\($0)</Key><VersionId>1</VersionId></Version>" }.joined()
                return .document("<ListVersionsResult>\(versions)</ListVersionsResult>")
            case .uploads where isLast:
                let uploads = foreign.map { "<Upload><Key>\($0)</Key><UploadId>1</UploadId></Upload>" }.joined()
                return .document("<ListMultipartUploadsResult>\(uploads)</ListMultipartUploadsResult>")
            default: return honest()
            }
        }
        let outcome = try await probe.run()
        let removed = outcome.requests.filter { $0.method == "DELETE" }
        #expect(!removed.isEmpty)
        let writing = try #require(outcome.requests.first { $0.method == "PUT" })
        let folder = writing.target.split(separator: "/").prefix(3).joined(separator: "/")
        #expect(removed.allSatisfy { $0.target.hasPrefix("/\(folder)/") })
    }

    // MARK: TLS

    private func report(
        over context: NIOSSLContext, _ configure: @Sendable (inout RemoteStoreSettings) -> Void
    ) async throws -> ProbeReport {
        let environment = SimulatedEnvironment(sleeping: .skipping)
        let backend = FakeBackend(environment: environment)
        var report: ProbeReport?
        try await ScriptedServer.with(tls: context, backend.script) { server in
            report = await (try server.probe(scheme: "https", environment: environment, configure)).run()
        }
        return try #require(report)
    }

    @Test func saysWhichTLSIsSpoken() async throws {
        try await Certificates.with { files in
            let authority = try files.pem("ca")
            for (version, name) in [(TLSVersion.tlsv12, "TLSv1.2"), (.tlsv13, "TLSv1.3")] {
                let report = try await report(over: files.server(highest: version)) {
                    $0.transfer.trust = .certificates(authority)
                }
                #expect(report.abilities.tls == name)
                #expect(report.findings.first { $0.ability == .tls }?.verdict == .good)
                #expect(report.isAcceptable)
            }
        }
    }

    @Test func aCertificateOfStrangersIsRefused() async throws {
        try await Certificates.with { files in
            let report = try await report(over: files.server()) { _ in }
            #expect(report.refusals.map(\.ability) == [.reach])
            #expect(report.refusals[0].detail.contains("certificate"))
        }
    }
}

/// Backends that hang, flood, or answer anything at all: the probe ends, and says so.
@Suite struct HostileBackendTests {
    typealias Reply = FakeBackend.Reply

    /// Time goes on by what a request is waited for, so that waiting takes none.
    private func hanging(
        from number: Int, _ environment: SimulatedEnvironment, _ answer: ScriptedServer.Answer = .silence
    ) -> FakeBackend.Lie {
        let calls = Counter()
        return { _, _, honest in
            guard calls.next() >= number else { return honest() }
            environment.advance(by: .seconds(31))
            return .raw(answer)
        }
    }

    @Test(arguments: [1, 2, 9, 40, 90]) func endsWhereNobodyAnswers(_ number: Int) async throws {
        let environment = SimulatedEnvironment(sleeping: .skipping)
        let start = environment.monotonicNanoseconds()
        let outcome = try await ProbeUnderTest(environment: environment, lie: hanging(from: number, environment)).run()
        #expect(!outcome.report.isAcceptable && !outcome.report.refusals.isEmpty)
        #expect(outcome.verdict(.throughput) == .unknown)
        #expect(environment.monotonicNanoseconds() - start < 500_000_000_000)
        #expect(outcome.requests.count < number + 20)
        if number > 10 { #expect(outcome.verdict(.removal) == .limited) }
    }

    /// A byte now and then keeps every pause short, and never ends.
    @Test func endsWhereAnAnswerNeverDoes() async throws {
        let environment = SimulatedEnvironment(sleeping: .skipping)
        let drip = ScriptedServer.Answer("HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\nx")
        let outcome = try await ProbeUnderTest(
            environment: environment, lie: hanging(from: 20, environment, drip)
        ).run { ($0.transfer.firstByteTimeout, $0.transfer.stallTimeout) = (.seconds(1000), .seconds(1000)) }
        #expect(!outcome.report.isAcceptable)
    }

    @Test func endsInTime() async throws {
        let environment = SimulatedEnvironment(sleeping: .skipping)
        let lie: FakeBackend.Lie = { _, _, honest in
            environment.advance(by: .seconds(5))
            return honest()
        }
        let outcome = try await ProbeUnderTest(environment: environment, lie: lie).run()
        #expect(!outcome.report.isAcceptable)
        #expect(outcome.report.refusals.allSatisfy { $0.detail.contains("in the time that the probe takes") })
        // The clock of requests that are signed went on with it.
        #expect(outcome.verdict(.reach) == .good)
        #expect(environment.monotonicNanoseconds() < 260_000_000_000)
    }

    @Test func whatIsCancelledEndsAndIsRemoved() async throws {
        let calls = Counter()
        let running = Mutex<Task<ProbeUnderTest.Outcome, any Error>?>(nil)
        let lie: FakeBackend.Lie = { _, _, honest in
            if calls.next() == 60 { running.withLock { $0?.cancel() } }
            return honest()
        }
        let task = Task { try await ProbeUnderTest(lie: lie).run() }
        running.withLock { $0 = task }
        let outcome = try await task.value
        #expect(!outcome.report.isAcceptable)
        #expect(outcome.report.refusals.contains { $0.detail.contains("cancelled") })
        #expect(outcome.left.isEmpty)
    }

    @Test func aClosedPortIsNoBackend() async throws {
        var port = 0
        try await ScriptedServer.with { _ in
            .nothing
        } use: {
            port = $0.port
        }
        try await ScriptedServer.with { _ in
            .nothing
        } use: { server in
            var probe = try server.probe(environment: SimulatedEnvironment(sleeping: .skipping))
            probe = BackendProbe(
                name: "backend-7", endpoint: try RemoteEndpoint(url: "http://127.0.0.1:\(port)", bucket: "bucket"),
                credentials: probe.credentials, settings: probe.settings, environment: probe.environment)
            let report = await probe.run()
            #expect(report.refusals.map(\.ability) == [.reach])
            #expect(report.refusals[0].detail.hasPrefix("No connection to backend-7 (http://127.0.0.1:\(port))"))
            #expect(server.requests.isEmpty)
        }
    }

    /// Any answer at all, right ones that were damaged among them: the probe ends, and repeats nothing.
    @Test(arguments: 1...40 as ClosedRange<UInt64>) func survivesAnything(_ seed: UInt64) async throws {
        let generator = Mutex(SeededGenerator(seed: seed))
        let lie: FakeBackend.Lie = { _, _, honest in
            generator.withLock { generator in
                // Some seeds lie seldom and come far, others often.
                generator.next() % (1 + seed * 5) == 0 ? Self.garbage(honest(), &generator) : honest()
            }
        }
        // Some answers are none, so that time has to go by.
        let outcome = try await ProbeUnderTest(environment: SystemEnvironment(), lie: lie).run {
            ($0.transfer.firstByteTimeout, $0.transfer.stallTimeout) = (.milliseconds(300), .milliseconds(300))
            ($0.retry.firstPause, $0.retry.longestPause) = (.milliseconds(1), .milliseconds(1))
        }
        for finding in outcome.report.findings {
            #expect(!finding.detail.contains("EVIL"))
            #expect(finding.detail.utf8.count < 1000)
        }
    }

    private static func garbage(_ honest: Reply, _ generator: inout SeededGenerator) -> Reply {
        var reply = honest
        switch generator.next() % 10 {
        case 0: reply.status = Int(generator.next() % 700)
        case 1: reply.body = generator.bytes(Int(generator.next() % 5000))
        case 2: reply.fields = [("EVIL", "EVIL"), ("Content-Range", "bytes EVIL"), ("Server", "\u{1b}[31mEVIL")]
        case 3: reply.body = Array(reply.body.dropLast(Int(generator.next() % 100)))
        case 4: reply.body += generator.bytes(100)
        case 5: reply = .raw(.nothing)
        case 6: reply = .raw(.init(generator.bytes(200), closes: true))
        case 7: reply = .error(Int(400 + generator.next() % 200), "EVIL\u{7}EVIL")
        case 8: reply = .document("<ListBucketResult><IsTruncated>true</IsTruncated><Contents/></ListBucketResult>")
        default:
            for _ in 0..<3 where !reply.body.isEmpty {
                reply.body[Int(generator.next() % UInt64(reply.body.count))] = UInt8(
                    truncatingIfNeeded: generator.next())
            }
        }
        return reply
    }
}
