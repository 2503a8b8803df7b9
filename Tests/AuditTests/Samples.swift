import Audit
import Primitives

/// Events and records for tests.
enum Samples {
    static let time = Timestamp(seconds: 1_700_000_000)

    static func event(_ number: Int = 0, readOnly: Bool = false, errorCode: String? = nil) -> AuditEvent {
        AuditEvent(
            eventID: "event-\(number)", requestID: "REQUEST\(number)", eventTime: time, eventName: "PutObject",
            awsRegion: "us-east-1", sourceIPAddress: "192.0.2.1", userAgent: "aws-cli/2.0",
            userIdentity: AuditIdentity(
                type: "IAMUser", principalID: "AIDA1", arn: "arn:aws:iam::000000000000:user/ann",
                accountID: "000000000000", accessKeyID: "AKIAEXAMPLE", userName: "ann"),
            requestParameters: ["bucketName": "photos", "key": "a \"b\"/ü\n\u{1}\(number)"],
            additionalEventData: AuditEventData(
                bytesIn: 17, bytesOut: 0, durationMicroseconds: 1234, authenticationMethod: "AuthHeader",
                signatureVersion: "SigV4", statements: ["ann#0"], backends: ["store-0", "store-1"]),
            readOnly: readOnly,
            resources: [AuditResource(arn: "arn:aws:s3:::photos/x", type: "AWS::S3::Object")],
            recipientAccountID: "000000000000", errorCode: errorCode)
    }

    static func record(_ number: Int = 0, readOnly: Bool = false) -> AuditRecord {
        AuditRecord(event(number, readOnly: readOnly))
    }
}
