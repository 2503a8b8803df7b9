/// One thing that somebody wants to do.
package struct Access: Sendable {
    /// Such as `s3:GetObject`. Policies name actions without case.
    package var action: String
    /// Such as `arn:aws:s3:::bucket/key`; compared by bytes.
    package var resource: String
    /// The values of condition keys, by their names in lower case, as the server knows them. What a request says
    /// itself may stand here only under the keys that are defined as such (`s3:prefix`, `s3:x-amz-acl`).
    package var context: [String: [String]]

    package init(action: String, resource: String, context: [String: [String]] = [:]) {
        (self.action, self.resource, self.context) = (action, resource, context)
    }
}

/// The policies that bear on an access.
package struct PolicySet: Sendable {
    /// Those attached to whoever asks.
    package var identity: [PolicyDocument]
    /// That of the bucket, if it has one.
    package var resource: PolicyDocument?

    package init(identity: [PolicyDocument] = [], resource: PolicyDocument? = nil) {
        (self.identity, self.resource) = (identity, resource)
    }
}

/// Whether an access is allowed, and by what.
package struct Decision: Sendable, Hashable {
    package var allowed: Bool
    /// Whether a statement denied it, rather than that none allowed it.
    package var explicitDeny: Bool
    /// The statements that decided: `identity:Sid` or `bucket:Sid`, the statement's number (from 1, as `#1`) standing
    /// for a missing `Sid`; `owner` where ownership decided, `RestrictPublicBuckets` where the bucket keeps out whoever
    /// is not of its owner's account. Empty where nothing matched.
    package var reasons: [String]

    package init(allowed: Bool, explicitDeny: Bool, reasons: [String]) {
        (self.allowed, self.explicitDeny, self.reasons) = (allowed, explicitDeny, reasons)
    }
}
