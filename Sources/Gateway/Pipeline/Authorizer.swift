import Metadata
import Policy
import Primitives
package import S3Model
import S3Wire

/// Decides whether the caller may do what an operation needs. There is no other place that does.
package struct Authorizer: Sendable {
    private let gateway: Gateway
    private let request: RequestContext

    package init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// What only the bucket's own account may do, whatever the bucket's policy says: otherwise whoever it trusts with
    /// everything could lock its owner out.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketPolicy.html>
    private static let ownersAlone: Set<String> = [
        "s3:GetBucketPolicy", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy",
    ]

    /// - Throws: `AccessDenied`; `NoSuchBucket` where the bucket does not exist; `NoSuchKey` where the caller is not
    ///   told by it more than a listing tells; `MethodNotAllowed` for the policy of another account's bucket.
    package func require(_ access: RequiredAccess) async throws(S3Error) {
        let decision = try await decide(access)
        request.note(statements: decision.reasons)
        guard decision.allowed else {
            if access.tellsAbsence, !decision.explicitDeny { try await tellAbsence(access) }
            throw S3Error(.accessDenied)
        }
        guard Self.ownersAlone.contains(access.action), let name = access.bucket else { return }
        let owner = try await gateway.buckets.bucket(name).record.account
        guard request.caller.principal.kind == .root || owner == request.caller.principal.accountID else {
            throw S3Error(
                .methodNotAllowed, "The policy of a bucket is managed by the account that owns it.",
                details: [
                    S3Error.Detail("Method", request.wire.method), S3Error.Detail("ResourceType", "BUCKETPOLICY"),
                ])
        }
    }

    /// In S3, whoever may list a key is told that it is not there, also without leave to read it.
    private func tellAbsence(_ access: RequiredAccess) async throws(S3Error) {
        guard let name = access.bucket, let key = access.key else { return }
        let lookup = ObjectLookup(gateway, request)
        guard try await lookup.mayList(key, in: name) else { return }
        _ = try await lookup.existing(key, nil, in: gateway.buckets.bucket(name))
    }

    /// Refuses whoever signed nothing where no bucket's policy could allow them anything: before their document is
    /// waited for, which would hold memory and a request's place for as long as they like.
    ///
    /// - Throws: `AccessDenied`, `NoSuchBucket`.
    package func refuseHopelessStranger(creatingBucket: Bool) async throws(S3Error) {
        guard request.caller.isAnonymous else { return }
        guard !creatingBucket, let name = request.wire.bucket else { throw S3Error(.accessDenied) }
        let bucket = try await gateway.buckets.bucket(name)
        guard bucket.policy?.mayAllowStrangers == true else { throw S3Error(.accessDenied) }
    }

    /// Whether an access is allowed, for operations whose answer depends on it.
    package func allows(_ access: RequiredAccess) async throws(S3Error) -> Bool {
        try await decide(access).allowed
    }

    private func decide(_ access: RequiredAccess) async throws(S3Error) -> Decision {
        var bucket: Bucket?
        let isCreation = access.action == "s3:CreateBucket"
        if let name = access.bucket, !isCreation { bucket = try await gateway.buckets.bucket(name) }
        let caller = request.caller
        // Nobody looks at the context where there is no policy.
        let isWeighed = bucket?.policy != nil || !caller.policies.isEmpty
        let context = isWeighed ? try await context(of: access, bucket) : [:]
        let asked = Access(action: access.action, resource: Self.resource(access), context: context)
        let now = gateway.environment.now()
        let isForeign = bucket.map { $0.record.account != caller.principal.accountID } ?? false
        // Only the deployment has a root. It can undo the policy by which another account has locked itself out.
        if isForeign, caller.principal.kind == .root, Self.ownersAlone.contains(access.action) {
            return Decision(allowed: true, explicitDeny: false, reasons: ["root"])
        }
        if isForeign, bucket?.isRestricted == true {
            return Decision(allowed: false, explicitDeny: true, reasons: ["RestrictPublicBuckets"])
        }
        guard isForeign, !caller.isAnonymous else {
            let policies = PolicySet(identity: caller.policies, resource: bucket?.policy)
            return Policy.decide(asked, by: caller.principal, at: now, under: policies)
        }
        // Across accounts, the caller's own account and the bucket's must both agree.
        let own = Policy.decide(
            asked, by: caller.principal, at: now, under: PolicySet(identity: caller.policies, resource: nil))
        let granted = Policy.decide(
            asked, by: caller.principal.withoutOwnership, at: now,
            under: PolicySet(identity: [], resource: bucket?.policy))
        return Decision(
            allowed: own.allowed && granted.allowed, explicitDeny: own.explicitDeny || granted.explicitDeny,
            reasons: own.reasons + granted.reasons)
    }

    /// The condition keys of an access.
    private func context(
        of access: RequiredAccess, _ bucket: Bucket?
    ) async throws(S3Error) -> [String: [String]] {
        let caller = request.caller
        var context = RequestConditions.context(
            of: request, using: access.headers, at: gateway.environment.now())
        context.merge(access.context) { server, _ in server }
        // What does not exist yet is going to be the caller's.
        let owner = bucket?.record.account ?? caller.principal.accountID
        for key in ["aws:resourceaccount", "s3:resourceaccount"] { context[key] = [owner] }
        context["aws:requestedregion"] = [gateway.settings.region]
        if access.wantsObjectTags, let bucket, let key = access.key, usesObjectTags(bucket, caller) {
            try await addTags(of: key, in: bucket, access, to: &context)
        }
        return context
    }

    private static func resource(_ access: RequiredAccess) -> String {
        guard let bucket = access.bucket else { return "arn:aws:s3:::*" }
        guard let key = access.key else { return "arn:aws:s3:::\(bucket)" }
        return "arn:aws:s3:::\(bucket)/\(key)"
    }

    private func usesObjectTags(_ bucket: Bucket, _ caller: Caller) -> Bool {
        bucket.policy?.usesExistingObjectTags == true || caller.policies.contains { $0.usesExistingObjectTags }
    }

    /// Offers the tags of the object that exists; the request cannot say anything about them.
    private func addTags(
        of key: ObjectKey, in bucket: Bucket, _ access: RequiredAccess, to context: inout [String: [String]]
    ) async throws(S3Error) {
        let version: StoredVersion?
        if let text = access.context["s3:versionid"]?.first, let id = VersionID(text) {
            version = try await gateway.versions.version(id, of: key, in: bucket.id)
        } else {
            version = try await gateway.versions.current(key, in: bucket.id)
        }
        for tag in version?.record.tags ?? [] {
            // Keys that differ in case alone are one condition key, which then has every one of their values.
            context["s3:existingobjecttag/" + tag.key.lowercased(), default: []].append(tag.value)
        }
    }
}
