import Primitives
import RemoteStore
import Testing

/// What the probe says of real servers: nothing that is not known of them.
@Suite(.enabled(if: !RemoteServers.endpoints.isEmpty, RemoteServers.missing))
struct RemoteProbeLaws {
    @Test(arguments: RemoteServers.endpoints) func takesTheServer(_ server: String) async throws {
        let connection = try RemoteServers.connection(server)
        let probe = BackendProbe(
            name: connection.name, endpoint: connection.endpoint, credentials: connection.credentials,
            settings: connection.settings, environment: SystemEnvironment())
        let report = await probe.run()
        let lines = report.findings.map { "\($0.ability.rawValue): \($0.verdict.rawValue): \($0.detail)" }
        // For whoever runs it: what a server can do is worth knowing also where it is taken.
        print(lines.reduce("The probe's report of \(connection.name):") { "\($0)\n  \($1)" }, report.abilities)
        #expect(report.isAcceptable, "\(report.refusals)")
    }
}
