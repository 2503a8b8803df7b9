import Policy
package import Primitives
import S3Wire

/// The condition keys that every request has, made by the server alone: no header of the request can name one
/// (GHSA-6r96, GHSA-fc6g).
package enum RequestConditions {
    /// Header fields whose values policies may ask for, with the condition key of each.
    private static let offered = [
        "x-amz-acl": "s3:x-amz-acl", "x-amz-content-sha256": "s3:x-amz-content-sha256",
        "x-amz-metadata-directive": "s3:x-amz-metadata-directive",
        "x-amz-server-side-encryption": "s3:x-amz-server-side-encryption",
        "x-amz-website-redirect-location": "s3:x-amz-website-redirect-location",
    ]

    package static func context(of request: RequestContext, at now: Timestamp) -> [String: [String]] {
        let caller = request.caller
        var context = [
            "aws:sourceip": [request.incoming.peerAddress],
            "aws:securetransport": [request.incoming.isSecure ? "true" : "false"],
            "aws:currenttime": [now.iso8601], "aws:epochtime": [String(now.seconds)],
            "aws:principalaccount": [caller.principal.accountID],
        ]
        if let name = caller.principal.userName { context["aws:username"] = [name] }
        if let agent = request.incoming.head.fields["user-agent"] { context["aws:useragent"] = [agent] }
        if let referer = request.incoming.head.fields["referer"] { context["aws:referer"] = [referer] }
        switch caller.method {
        case .none: break
        case .header: context["s3:authtype"] = ["REST-HEADER"]
        case .query: context["s3:authtype"] = ["REST-QUERY-STRING"]
        case .post: context["s3:authtype"] = ["POST"]
        }
        if let version = caller.signatureVersion { context["s3:signatureversion"] = [version.conditionValue] }
        if let made = caller.presignedAt { context["s3:signatureage"] = [String(now.milliseconds - made.milliseconds)] }
        for (header, key) in offered {
            if let value = request.wire.fields[header] { context[key] = [value] }
        }
        return context
    }
}
