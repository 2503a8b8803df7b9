/// What the gateway tells of each request, for whoever counts and logs.
package struct GatewayMetrics: Sendable {
    /// One request, answered.
    package struct Observation: Sendable {
        package var requestID: String
        package var operation: String
        package var status: Int
        package var errorCode: String?
        /// Why, where the client was told less; for the log alone.
        package var reason: String?
        package var bucket: String?
        package var key: String?
        /// The address that the request came from, and who asked: an ARN, or the kind of principal that has none.
        package var peerAddress = ""
        package var principal: String?
        /// Whether nobody knows who asked.
        package var isAnonymous: Bool
        package var bytesIn: Int64
        package var bytesOut: Int64
        package var nanoseconds: UInt64
    }

    package var observe: @Sendable (Observation) -> Void

    package init(observe: @escaping @Sendable (Observation) -> Void) {
        self.observe = observe
    }
}
