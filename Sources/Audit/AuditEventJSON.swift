import Primitives

/// The JSON of an event, under CloudTrail's names.
extension AuditEvent {
    /// The version of CloudTrail's record that the fields follow.
    static let eventVersion = "1.11"

    func json(within bounds: inout AuditBounds) -> JSON {
        var object = JSONObject()
        object["eventVersion"] = .string(Self.eventVersion)
        object["userIdentity"] = userIdentity.json(within: &bounds)
        object["eventTime"] = .string(eventTime.iso8601)
        object["eventSource"] = bounds.short(eventSource)
        object["eventName"] = bounds.short(eventName)
        object["awsRegion"] = bounds.short(awsRegion)
        object["sourceIPAddress"] = bounds.short(sourceIPAddress)
        object["userAgent"] = userAgent.map { bounds.long($0) }
        object["requestParameters"] = bounds.map(requestParameters)
        object["responseElements"] = bounds.map(responseElements)
        object["requestID"] = bounds.short(requestID)
        object["eventID"] = .string(AuditBounds.cut(eventID, to: 128).text)
        object["readOnly"] = .bool(readOnly)
        object["resources"] = resourcesJSON(within: &bounds)
        object["eventType"] = bounds.short(eventType)
        object["managementEvent"] = .bool(managementEvent)
        object["recipientAccountId"] = bounds.shortIfAny(recipientAccountID)
        object["errorCode"] = bounds.shortIfAny(errorCode)
        object["errorMessage"] = errorMessage.map { bounds.long($0) }
        object["eventCategory"] = managementEvent ? "Management" : "Data"
        // Last, since it says whether anything before it was cut.
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
        var object = JSONObject()
        object["type"] = bounds.short(type)
        object["principalId"] = bounds.shortIfAny(principalID)
        object["arn"] = bounds.shortIfAny(arn)
        object["accountId"] = bounds.shortIfAny(accountID)
        object["accessKeyId"] = bounds.shortIfAny(accessKeyID)
        object["userName"] = bounds.shortIfAny(userName)
        return .object(object)
    }
}

extension AuditEventData {
    fileprivate func json(within bounds: inout AuditBounds) -> JSON {
        var object = JSONObject()
        object["bytesTransferredIn"] = .integer(bytesIn)
        object["bytesTransferredOut"] = .integer(bytesOut)
        object["durationMicroseconds"] = .integer(durationMicroseconds)
        object["AuthenticationMethod"] = bounds.short(authenticationMethod)
        object["SignatureVersion"] = bounds.shortIfAny(signatureVersion)
        object["statements"] = statements.isEmpty ? nil : bounds.list(statements)
        object["backends"] = backends.isEmpty ? nil : bounds.list(backends)
        object["session"] = bounds.shortIfAny(session)
        object["aborted"] = aborted ? true : nil
        object["truncated"] = bounds.truncated ? true : nil
        return .object(object)
    }
}
