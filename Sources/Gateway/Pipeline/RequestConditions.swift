import Policy
package import Primitives
package import S3Model
import S3Wire

/// The condition keys that every request has, made by the server alone: no header of the request can name one
/// (GHSA-6r96, GHSA-fc6g).
package enum RequestConditions {
    /// Header fields that policies may ask for, under the key `s3:` and the field's name.
    ///
    /// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
    private static func offered(_ use: HeaderUse) -> [String] {
        switch use {
        case .none, .read: []
        case .write: written
        case .copy: written + ["x-amz-metadata-directive"]
        case .part, .completion: [customerAlgorithm]
        case .accessControl: lists
        case .bucketCreation: lists + ["x-amz-object-ownership"]
        }
    }

    private static let lists = ["x-amz-acl"] + AccessControlDecoding.grants
    private static let customerAlgorithm = "x-amz-server-side-encryption-customer-algorithm"
    private static let written =
        lists + [
            "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id", customerAlgorithm,
            "x-amz-storage-class", "x-amz-website-redirect-location",
        ]

    /// The keys of a request of whatever service.
    package static func general(
        _ request: IncomingRequest, _ caller: Caller, at now: Timestamp
    ) -> [String: [String]] {
        var context = [
            "aws:sourceip": [request.peerAddress],
            "aws:securetransport": [request.isSecure ? "true" : "false"],
            "aws:currenttime": [now.iso8601], "aws:epochtime": [String(now.seconds)],
            "aws:principalaccount": [caller.principal.accountID],
            // No service asks for somebody.
            "aws:viaawsservice": ["false"],
        ]
        if !caller.isAnonymous { context["aws:principalisawsservice"] = ["false"] }
        if let name = caller.principal.userName { context["aws:username"] = [name] }
        if let agent = request.head.fields["user-agent"] { context["aws:useragent"] = [agent] }
        if let referer = request.head.fields["referer"] { context["aws:referer"] = [referer] }
        if let version = request.tlsVersion { context["s3:tlsversion"] = [version] }
        return context
    }

    /// - Parameter use: the header fields that the operation looks at. One that has no effect satisfies no policy.
    package static func context(
        of request: RequestContext, using use: HeaderUse, at now: Timestamp
    ) -> [String: [String]] {
        let caller = request.caller
        var context = general(request.incoming, caller, at: now)
        switch caller.method {
        case .none: break
        case .header: context["s3:authtype"] = ["REST-HEADER"]
        case .query: context["s3:authtype"] = ["REST-QUERY-STRING"]
        case .post: context["s3:authtype"] = ["POST"]
        }
        if let version = caller.signatureVersion { context["s3:signatureversion"] = [version.conditionValue] }
        if let made = caller.signedAhead {
            context["s3:signatureage"] = [String(now.milliseconds - made.milliseconds)]
        } else if caller.hidesSigningTime {
            // As old as can be, so that a policy that bounds the age of a signature holds for these too.
            context["s3:signatureage"] = [String(Int64.max)]
        }
        let fields = request.wire.fields
        if let hash = fields["x-amz-content-sha256"] { context["s3:x-amz-content-sha256"] = [hash] }
        for name in offered(use) {
            if let value = fields[name] { context["s3:" + name] = [value] }
        }
        return context
    }
}
