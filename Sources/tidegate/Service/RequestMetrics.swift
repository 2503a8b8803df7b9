import Gateway
import Logging
import Monitoring

/// Counts requests, and logs those that failed.
struct RequestMetrics: Sendable {
    private let requests: MetricFamily<Counter>
    private let errors: MetricFamily<Counter>
    private let durations: MetricFamily<Histogram>
    private let received: Counter
    private let sent: Counter
    private let logger: Logger

    init(_ registry: MetricsRegistry, logger: Logger) {
        requests = registry.counters(
            "tidegate_requests_total", help: "Requests answered, by operation and status.",
            labels: ["operation", "status"])
        errors = registry.counters(
            "tidegate_errors_total", help: "Requests answered with an error, by S3's code.", labels: ["code"])
        durations = registry.histograms(
            "tidegate_request_duration_seconds", help: "From the head of a request to the end of its answer.",
            labels: ["operation"], scale: .latency)
        received = registry.counter(
            "tidegate_object_bytes_received_total", help: "Bytes of objects and documents that clients sent.")
        sent = registry.counter("tidegate_bytes_sent_total", help: "Bytes of answers' bodies.")
        self.logger = logger
    }

    func observe(_ request: GatewayMetrics.Observation) {
        requests[request.operation, String(request.status)].add()
        durations[request.operation].observe(request.nanoseconds)
        received.add(UInt64(max(0, request.bytesIn)))
        sent.add(UInt64(max(0, request.bytesOut)))
        if let code = request.errorCode { errors[code].add() }
        log(request)
    }

    /// One line for each failure of ours. What was asked of us and is not served is of interest where somebody known
    /// asked; what clients did wrong, and what went well, is there for whoever asks for more.
    private func log(_ request: GatewayMetrics.Observation) {
        let isOurs = request.status >= 500 && request.status != 501
        let isUnserved = request.status == 501 && !request.isAnonymous
        let level: Logger.Level = isOurs ? .error : isUnserved ? .info : .debug
        guard level >= logger.logLevel else { return }
        var metadata: Logger.Metadata = [
            "request-id": "\(request.requestID)", "operation": "\(request.operation)", "status": .count(request.status),
            "microseconds": .count(request.nanoseconds / 1000), "client": "\(request.peerAddress)",
            "bytes-in": .count(request.bytesIn), "bytes-out": .count(request.bytesOut),
        ]
        if let principal = request.principal { metadata["principal"] = "\(principal)" }
        if let key = request.key { metadata["key"] = "\(key)" }
        if let bucket = request.bucket { metadata["bucket"] = "\(bucket)" }
        if let code = request.errorCode { metadata["code"] = "\(code)" }
        if let reason = request.reason { metadata["reason"] = "\(reason)" }
        logger.log(
            level: level,
            isOurs ? "a request could not be served" : isUnserved ? "what was asked for is not served" : "request",
            metadata: metadata)
    }
}
