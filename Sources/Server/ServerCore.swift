import NIOCore
package import Primitives
import Synchronization

/// What the connections of a server share.
package final class ServerCore: Sendable {
    let settings: ConnectionSettings
    let handler: any RequestHandler
    let environment: any Environment
    let counters = ServerCounters()
    private let onRefusal: @Sendable (RequestRefusal.Reason, String, String?) -> Void
    let connections = ConnectionRegistry()
    private let date = Mutex<(second: Int64, text: String)>((.min, ""))

    package init(configuration: ServerConfiguration, handler: any RequestHandler, environment: any Environment) {
        settings = ConnectionSettings(limits: configuration.limits, timeouts: configuration.timeouts)
        self.handler = handler
        self.environment = environment
        onRefusal = configuration.onRefusal
    }

    /// Counts and tells what the server refuses itself.
    func refuse(_ reason: RequestRefusal.Reason, _ peer: String, _ detail: String? = nil) {
        counters.refuse(reason)
        onRefusal(reason, peer, detail)
    }

    /// The counters now.
    package var counterValues: ServerCounterValues { counters.values }

    /// The time as the `date` field has it, written once a second.
    var httpDate: String {
        let now = environment.now()
        return date.withLock { date in
            if date.second != now.seconds { date = (now.seconds, now.httpDate) }
            return date.text
        }
    }
}

/// The connections that are open, so that a drain can reach them.
final class ConnectionRegistry: Sendable {
    /// What a drain tells a connection, as a user event of its pipeline.
    enum Event: Sendable {
        /// Close when idle, else after the answer.
        case drain
        /// Close now.
        case cut
    }

    private struct State {
        var channels: [ObjectIdentifier: any Channel] = [:]
        var isDraining = false
    }

    private let state = Mutex(State())

    /// Adds a connection, and returns whether the server still takes requests.
    func add(_ channel: any Channel) -> Bool {
        state.withLock { state in
            state.channels[ObjectIdentifier(channel)] = channel
            return !state.isDraining
        }
    }

    func remove(_ channel: any Channel) {
        state.withLock { _ = $0.channels.removeValue(forKey: ObjectIdentifier(channel)) }
    }

    var isEmpty: Bool { state.withLock { $0.channels.isEmpty } }

    /// Tells every connection, and from now on every new one, that the server is stopping.
    func tellAll(_ event: Event) {
        let channels = state.withLock { state in
            state.isDraining = true
            return Array(state.channels.values)
        }
        for channel in channels { channel.pipeline.fireUserInboundEventTriggered(event) }
    }
}
