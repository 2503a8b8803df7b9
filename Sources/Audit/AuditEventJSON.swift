import Primitives

/// The JSON of an event, under CloudTrail's names, in their canonical order.
extension AuditEvent {
    /// The version of CloudTrail's record that the fields follow.
    static let eventVersion = "1.11"

    func write(to writer: inout EventWriter) {
        writer.json.beginObject()
        additionalEventData.write(to: &writer)
        writer.short("awsRegion", awsRegion)
        writer.short("errorCode", errorCode)
        writer.long("errorMessage", errorMessage)
        writer.plain("eventCategory", managementEvent ? "Management" : "Data")
        writer.identifier("eventID", eventID)
        writer.short("eventName", eventName)
        writer.short("eventSource", eventSource)
        writer.plain("eventTime", eventTime.iso8601)
        writer.short("eventType", eventType)
        writer.plain("eventVersion", Self.eventVersion)
        writer.bool("managementEvent", managementEvent)
        writer.bool("readOnly", readOnly)
        writer.short("recipientAccountId", recipientAccountID)
        writer.short("requestID", requestID)
        writer.map("requestParameters", requestParameters)
        writer.json.name("resources")
        writer.json.beginArray()
        for resource in writer.kept(resources) {
            writer.json.beginObject()
            writer.long("ARN", resource.arn)
            writer.short("type", resource.type)
            writer.json.endObject()
        }
        writer.json.endArray()
        writer.map("responseElements", responseElements)
        writer.short("sourceIPAddress", sourceIPAddress)
        writer.long("userAgent", userAgent)
        userIdentity.write(to: &writer)
        writer.json.endObject()
    }
}

extension AuditIdentity {
    fileprivate func write(to writer: inout EventWriter) {
        writer.json.name("userIdentity")
        writer.json.beginObject()
        writer.short("accessKeyId", accessKeyID)
        writer.short("accountId", accountID)
        writer.short("arn", arn)
        writer.short("principalId", principalID)
        writer.short("type", type)
        writer.short("userName", userName)
        writer.json.endObject()
    }
}

extension AuditEventData {
    fileprivate func write(to writer: inout EventWriter) {
        writer.json.name("additionalEventData")
        writer.json.beginObject()
        writer.short("AuthenticationMethod", authenticationMethod)
        writer.short("SignatureVersion", signatureVersion)
        if aborted { writer.bool("aborted", true) }
        writer.list("backends", backends)
        writer.integer("bytesTransferredIn", bytesIn)
        writer.integer("bytesTransferredOut", bytesOut)
        writer.integer("durationMicroseconds", durationMicroseconds)
        writer.short("session", session)
        writer.list("statements", statements)
        if writer.saysTruncated { writer.bool("truncated", true) }
        writer.json.endObject()
    }
}
