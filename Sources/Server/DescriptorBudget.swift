/// How many connections and requests the files that the process may have open allow.
///
/// Where files run out, nothing fails in a way that anybody could foresee: stores look as if they had gone, and the
/// system's libraries end the process. So the limits of the server are held below that.
package struct DescriptorBudget: Sendable, Hashable {
    /// What is open without any request: logs, the index, listeners, the threads' own, and room for scrubbing.
    package static let base = 256
    /// Fewer of either serve nobody.
    package static let least = (connections: 32, requests: 16)

    package let connections: Int
    package let requests: Int

    /// The limits as far as `available` files allow; nil where they do not allow the least.
    ///
    /// - Parameter shards: those of a blob, each of which a request may hold open.
    package init?(connections: Int, requests: Int, shards: Int, available: Int) {
        let perRequest = shards + 2
        let rest = available - Self.base
        guard rest >= Self.least.connections + Self.least.requests * perRequest else { return nil }
        let wanted = connections + requests * perRequest
        guard wanted > rest else {
            (self.connections, self.requests) = (connections, requests)
            return
        }
        // In the same proportion, since a connection without a request is of as little use as the other way round.
        let most = (rest - min(connections, Self.least.connections)) / perRequest
        self.requests = min(requests, most, max(Self.least.requests, requests * rest / wanted))
        self.connections = min(connections, rest - self.requests * perRequest)
    }
}
