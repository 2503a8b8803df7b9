import Primitives

/// The JSON of an event, under CloudTrail's names.
extension AuditEvent {
    /// The version of CloudTrail's record that the fields follow.
    static let eventVersion = "1.11"

    func json(within bounds: inout AuditBounds) -> JSON {
        // In the order of the canonical text, so that nothing has to be sorted.
        var object = JSONObject(capacity: 24)
        object["additionalEventData"] = .null
        object["awsRegion"] = bounds.short(awsRegion)
        object["errorCode"] = bounds.shortIfAny(errorCode)
        object["errorMessage"] = errorMessage.map { bounds.long($0) }
        object["eventCategory"] = managementEvent ? "Management" : "Data"
        object["eventID"] = .string(AuditBounds.cut(eventID, to: 128).text)
        object["eventName"] = bounds.short(eventName)
        object["eventSource"] = bounds.short(eventSource)
        object["eventTime"] = .string(eventTime.iso8601)
        object["eventType"] = bounds.short(eventType)
        object["eventVersion"] = .string(Self.eventVersion)
        object["managementEvent"] = .bool(managementEvent)
        object["readOnly"] = .bool(readOnly)
        object["recipientAccountId"] = bounds.shortIfAny(recipientAccountID)
        object["requestID"] = bounds.short(requestID)
        object["requestParameters"] = bounds.map(requestParameters)
        object["resources"] = resourcesJSON(within: &bounds)
        object["responseElements"] = bounds.map(responseElements)
        object["sourceIPAddress"] = bounds.short(sourceIPAddress)
        object["userAgent"] = userAgent.map { bounds.long($0) }
        object["userIdentity"] = userIdentity.json(within: &bounds)
        // Made last, since it says whether anything else was cut.
        object["additionalEventData"] = additionalEventData.json(within: &bounds)
        return .object(object)
    }

    private func resourcesJSON(within bounds: inout AuditBounds) -> JSON {
        if resources.count > bounds.entries { bounds.noteTruncation() }
        var elements: [JSON] = []
        for resource in resources.prefix(bounds.entries) {
            elements.append(["ARN": bounds.long(resource.arn), "type": bounds.short(resource.type)])
        }
        return .array(elements)
    }
}

extension AuditIdentity {
    fileprivate func json(within bounds: inout AuditBounds) -> JSON {
        var object = JSONObject(capacity: 6)
        object["accessKeyId"] = bounds.shortIfAny(accessKeyID)
        object["accountId"] = bounds.shortIfAny(accountID)
        object["arn"] = bounds.shortIfAny(arn)
        object["principalId"] = bounds.shortIfAny(principalID)
        object["type"] = bounds.short(type)
        object["userName"] = bounds.shortIfAny(userName)
        return .object(object)
    }
}

extension AuditEventData {
    fileprivate func json(within bounds: inout AuditBounds) -> JSON {
        var object = JSONObject(capacity: 10)
        object["AuthenticationMethod"] = bounds.short(authenticationMethod)
        object["SignatureVersion"] = bounds.shortIfAny(signatureVersion)
        object["aborted"] = aborted ? true : nil
        object["backends"] = backends.isEmpty ? nil : bounds.list(backends)
        object["bytesTransferredIn"] = .integer(bytesIn)
        object["bytesTransferredOut"] = .integer(bytesOut)
        object["durationMicroseconds"] = .integer(durationMicroseconds)
        object["session"] = bounds.shortIfAny(session)
        object["statements"] = statements.isEmpty ? nil : bounds.list(statements)
        object["truncated"] = bounds.truncated ? true : nil
        return .object(object)
    }
}
