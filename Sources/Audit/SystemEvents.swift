package import Primitives

/// The acts of the gateway itself that have records.
extension AuditEvent {
    /// An act of the gateway.
    ///
    /// - Parameter parameters: What it was about.
    package static func system(
        _ name: String, id: String, at time: Timestamp, region: String, parameters: [String: String] = [:],
        readOnly: Bool = false
    ) -> AuditEvent {
        AuditEvent(
            eventID: id, eventTime: time, eventName: name, eventSource: "tidegate", awsRegion: region,
            userIdentity: .system, requestParameters: parameters, readOnly: readOnly, eventType: "AwsServiceEvent",
            managementEvent: true)
    }

    /// One record for the refusals that a noisy source got beyond those recorded one by one.
    package static func refusals(
        _ summary: NoiseCounter.Summary, id: String, at time: Timestamp, region: String
    ) -> AuditEvent {
        var event = AuditEvent(
            eventID: id, eventTime: time, eventName: "UnauthenticatedRefusals", awsRegion: region,
            sourceIPAddress: summary.source ?? "", userIdentity: .anonymous,
            requestParameters: ["count": String(summary.count), "windowSeconds": String(summary.windowSeconds)],
            readOnly: true, managementEvent: true, errorCode: "AccessDenied",
            errorMessage: "Refusals without authentication beyond those recorded one by one.")
        if summary.source == nil { event.requestParameters["sources"] = "several" }
        return event
    }
}

extension Environment {
    /// A fresh `eventID`: 128 random bits in the form of a UUID of version 4 (RFC 9562 §5.4).
    package func eventID() -> String {
        var bytes = randomBytes(16)
        bytes[6] = bytes[6] & 0x0F | 0x40
        bytes[8] = bytes[8] & 0x3F | 0x80
        let groups = [bytes[0..<4], bytes[4..<6], bytes[6..<8], bytes[8..<10], bytes[10..<16]]
        return groups.map { Hex.encode($0) }.joined(separator: "-")
    }
}
