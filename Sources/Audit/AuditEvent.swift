package import Primitives

/// What happened in one request (or one act of the system), with the content of CloudTrail's own fields.
///
/// It takes no headers and no query: a signature, a token or a presigned query has no way in. Everything a client sent
/// may be of any length here; `AuditRecord(_:)` bounds it.
/// Source: AWS CloudTrail User Guide, "CloudTrail record contents for management and data events".
package struct AuditEvent: Sendable, Hashable {
    package var eventTime: Timestamp
    /// The operation's S3 name, such as `PutObject`.
    package var eventName: String
    /// The service, in CloudTrail's spelling.
    package var eventSource: String
    package var awsRegion: String
    /// The peer's address as the socket says.
    package var sourceIPAddress: String
    package var userAgent: String?
    package var userIdentity: AuditIdentity
    /// What was asked: `bucketName`, `key`, `versionId`, … No header, no query string.
    package var requestParameters: [String: String]
    /// What was answered, where a change was made: `x-amz-version-id`, …
    package var responseElements: [String: String]
    package var additionalEventData: AuditEventData
    package var requestID: String
    /// Unique over all records: a retry of the same record carries the same one.
    package var eventID: String
    package var readOnly: Bool
    package var resources: [AuditResource]
    package var eventType: String
    /// Whether buckets or the system were acted on, rather than objects.
    package var managementEvent: Bool
    package var recipientAccountID: String?
    package var errorCode: String?
    package var errorMessage: String?

    package init(
        eventID: String, requestID: String = "", eventTime: Timestamp, eventName: String,
        eventSource: String = "s3.amazonaws.com", awsRegion: String, sourceIPAddress: String = "",
        userAgent: String? = nil, userIdentity: AuditIdentity, requestParameters: [String: String] = [:],
        responseElements: [String: String] = [:], additionalEventData: AuditEventData = AuditEventData(),
        readOnly: Bool, resources: [AuditResource] = [], eventType: String = "AwsApiCall",
        managementEvent: Bool = false, recipientAccountID: String? = nil, errorCode: String? = nil,
        errorMessage: String? = nil
    ) {
        (self.eventID, self.requestID, self.eventTime) = (eventID, requestID, eventTime)
        (self.eventName, self.eventSource, self.awsRegion) = (eventName, eventSource, awsRegion)
        (self.sourceIPAddress, self.userAgent, self.userIdentity) = (sourceIPAddress, userAgent, userIdentity)
        (self.requestParameters, self.responseElements) = (requestParameters, responseElements)
        (self.additionalEventData, self.readOnly, self.resources) = (additionalEventData, readOnly, resources)
        (self.eventType, self.managementEvent) = (eventType, managementEvent)
        self.recipientAccountID = recipientAccountID
        (self.errorCode, self.errorMessage) = (errorCode, errorMessage)
    }
}

/// Who acted: CloudTrail's `userIdentity`.
package struct AuditIdentity: Sendable, Hashable {
    /// `Root`, `IAMUser`, `AssumedRole`, `AWSAccount` (anonymous) or `AWSService` (the system itself).
    package var type: String
    package var principalID: String?
    package var arn: String?
    package var accountID: String?
    /// The public half of the key pair; never the secret.
    package var accessKeyID: String?
    package var userName: String?

    package init(
        type: String, principalID: String? = nil, arn: String? = nil, accountID: String? = nil,
        accessKeyID: String? = nil, userName: String? = nil
    ) {
        (self.type, self.principalID, self.arn) = (type, principalID, arn)
        (self.accountID, self.accessKeyID, self.userName) = (accountID, accessKeyID, userName)
    }

    /// Nobody that is known, as CloudTrail writes it.
    package static let anonymous = AuditIdentity(type: "AWSAccount", principalID: "", accountID: "anonymous")
    /// The gateway itself.
    package static let system = AuditIdentity(type: "AWSService", principalID: "tidegate")
}

/// Something that was acted on.
package struct AuditResource: Sendable, Hashable {
    package var arn: String
    /// `AWS::S3::Bucket` or `AWS::S3::Object`.
    package var type: String

    package init(arn: String, type: String) {
        (self.arn, self.type) = (arn, type)
    }
}

/// What CloudTrail keeps in `additionalEventData`, and what we know beyond it.
package struct AuditEventData: Sendable, Hashable {
    /// Bytes of the request's body.
    package var bytesIn: Int64
    /// Bytes of the answer's body that were sent.
    package var bytesOut: Int64
    /// From the request's head to the answer's last byte.
    package var durationMicroseconds: Int64
    /// `AuthHeader`, `QueryString`, `PostPolicy` or `None`.
    package var authenticationMethod: String
    /// `SigV4`, or nil where nothing was signed.
    package var signatureVersion: String?
    /// The policy statements that decided, as `policy#statement`.
    package var statements: [String]
    /// The stores that were touched.
    package var backends: [String]
    /// The session or capability that was used, by name and never by its token.
    package var session: String?
    /// Whether the client went away before the answer's end.
    package var aborted: Bool

    package init(
        bytesIn: Int64 = 0, bytesOut: Int64 = 0, durationMicroseconds: Int64 = 0, authenticationMethod: String = "None",
        signatureVersion: String? = nil, statements: [String] = [], backends: [String] = [], session: String? = nil,
        aborted: Bool = false
    ) {
        (self.bytesIn, self.bytesOut, self.durationMicroseconds) = (bytesIn, bytesOut, durationMicroseconds)
        (self.authenticationMethod, self.signatureVersion) = (authenticationMethod, signatureVersion)
        (self.statements, self.backends, self.session, self.aborted) = (statements, backends, session, aborted)
    }
}
