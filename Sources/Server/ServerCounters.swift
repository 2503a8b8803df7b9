import Synchronization

/// The counters of a server at one moment, for metrics.
package struct ServerCounterValues: Sendable, Equatable {
    /// Connections open now.
    package var openConnections = 0
    /// Connections accepted since the start.
    package var acceptedConnections = 0
    /// Requests whose handler is running now.
    package var requestsInFlight = 0
    /// Requests handed to the handler since the start.
    package var requests = 0
    /// Bytes received and sent since the start, heads and framing included, TLS records not.
    package var bytesReceived = 0
    package var bytesSent = 0
    /// What the server refused itself since the start, by reason.
    package var refused: [RequestRefusal.Reason: Int] = [:]
}

/// The counters of a server, shared by its event loops.
final class ServerCounters: Sendable {
    let openConnections = Atomic<Int>(0)
    let acceptedConnections = Atomic<Int>(0)
    let requestsInFlight = Atomic<Int>(0)
    let requests = Atomic<Int>(0)
    let bytesReceived = Atomic<Int>(0)
    let bytesSent = Atomic<Int>(0)
    let connectionShares = AddressShares()
    let requestShares = AddressShares()
    private let refused = Mutex<[RequestRefusal.Reason: Int]>([:])

    func refuse(_ reason: RequestRefusal.Reason) {
        refused.withLock { $0[reason, default: 0] += 1 }
    }

    /// Takes one of the requests' places, of all and of the address's, or returns false where either are taken.
    func enterRequest(_ address: SourceAddress?, _ limits: ServerLimits) -> Bool {
        guard enter(requestsInFlight, limit: limits.requestsInFlight) else { return false }
        guard requestShares.enter(address, limit: limits.requestsPerAddress) else {
            leave(requestsInFlight)
            return false
        }
        return true
    }

    /// Gives a request's places back.
    func leaveRequest(_ address: SourceAddress?) {
        requestShares.leave(address)
        leave(requestsInFlight)
    }

    /// Takes one of `limit` places, or returns false where all are taken.
    func enter(_ counter: borrowing Atomic<Int>, limit: Int) -> Bool {
        guard counter.add(1, ordering: .relaxed).newValue <= limit else {
            leave(counter)
            return false
        }
        return true
    }

    /// Gives a place back.
    func leave(_ counter: borrowing Atomic<Int>) {
        counter.subtract(1, ordering: .relaxed)
    }

    var values: ServerCounterValues {
        ServerCounterValues(
            openConnections: openConnections.load(ordering: .relaxed),
            acceptedConnections: acceptedConnections.load(ordering: .relaxed),
            requestsInFlight: requestsInFlight.load(ordering: .relaxed),
            requests: requests.load(ordering: .relaxed),
            bytesReceived: bytesReceived.load(ordering: .relaxed),
            bytesSent: bytesSent.load(ordering: .relaxed),
            refused: refused.withLock { $0 })
    }
}
