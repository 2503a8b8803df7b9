import Primitives
import Signing
import Testing

@testable import RemoteStore

/// What the probe says of real servers.
@Suite(.enabled(if: !RemoteServers.endpoints.isEmpty, RemoteServers.missing))
struct RemoteProbeLaws {
    /// What is known of servers, beside that they keep the laws.
    private static let known: [String: [Ability: ProbeFinding.Verdict]] = [
        "SeaweedFS": [.durabilityHint: .limited, .tls: .limited, .listOrder: .limited, .conditionalPut: .good],
        "nginx": [.durabilityHint: .unknown, .tls: .good],
        "nginx-h2": [.tls: .good],
        "rclone": [.tls: .limited, .conditionalPut: .limited, .checksumEcho: .limited],
        "Ceph": [.tls: .limited, .payloadHash: .good, .conditionalPut: .good, .listOrder: .good],
    ]

    @Test(arguments: RemoteServers.endpoints) func takesTheServer(_ server: String) async throws {
        let connection = try RemoteServers.connection(server)
        let probe = BackendProbe(
            name: connection.name, endpoint: connection.endpoint, credentials: connection.credentials,
            settings: connection.settings, environment: SystemEnvironment())
        let report = await probe.run()
        // For whoever runs it: what a server can do is worth knowing also where it is taken.
        print("The probe's report of \(connection.name):")
        for finding in report.findings {
            print("  \(finding.ability.rawValue): \(finding.verdict.rawValue): \(finding.detail)")
        }
        print("  \(report.abilities)")
        #expect(report.isAcceptable, "\(report.refusals)")
        var expected = Self.known[connection.name] ?? [:]
        for ability in [.removal, .credentials, .clock, .latency, .throughput] as [Ability] {
            expected[ability] = .good
        }
        for (ability, verdict) in expected {
            let finding = report.findings.first { $0.ability == ability }
            #expect(finding?.verdict == verdict, "\(ability): \(finding?.detail ?? "")")
        }
    }

    @Test(arguments: RemoteServers.endpoints) func refusesABucketThatIsNotThere(_ server: String) async throws {
        let connection = try RemoteServers.connection(server)
        let endpoint = try RemoteEndpoint(url: connection.endpoint.origin, bucket: "nobody-has-this-bucket")
        let report = await BackendProbe(
            name: connection.name, endpoint: endpoint, credentials: connection.credentials,
            settings: connection.settings, environment: SystemEnvironment()
        ).run()
        #expect(report.refusals.map(\.ability) == [.bucket])
    }

    @Test(arguments: RemoteServers.endpoints) func refusesWrongCredentials(_ server: String) async throws {
        let connection = try RemoteServers.connection(server)
        for id in [connection.credentials.accessKeyID, "NOBODYATALL12345"] {
            let report = await BackendProbe(
                name: connection.name, endpoint: connection.endpoint,
                credentials: SigningCredentials(accessKeyID: id, secret: SecretKey("wrong")),
                settings: connection.settings, environment: SystemEnvironment()
            ).run()
            #expect(report.refusals.map(\.ability) == [.credentials], "\(report.refusals)")
        }
    }

    /// An upload that was begun and left, as by whoever was killed.
    @Test(arguments: RemoteServers.endpoints) func sweepsUploads(_ server: String) async throws {
        try await RemoteServers.withStore(server) { store in
            let call = RemoteCall.createUpload(store.names.key(of: someName))
            let answer = try await store.client.perform(call, body: [], limit: MultipartAnswers.byteLimit)
            #expect(MultipartAnswers.uploadID(answer.body) != nil)
            let day = try await store.abortUploads(olderThan: .seconds(86_400))
            #expect(day == 0)
            // Everything is older than what will begin in a minute.
            let all = try await store.abortUploads(olderThan: .seconds(-60))
            #expect(all == 1)
            let rest = try await store.abortUploads(olderThan: .seconds(-60))
            #expect(rest == 0)
        }
    }
}
