import Primitives

/// The condition keys that policies may name: those of S3 and those of all services.
///
/// Sources: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>,
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html>
package enum ConditionKeys {
    /// The keys that requests here have, each where S3's have it. Whoever offers another to policies writes it here:
    /// a policy that names one that does not stand here is refused.
    package static let offered: [String] = [
        "aws:CurrentTime", "aws:EpochTime", "aws:PrincipalAccount", "aws:PrincipalArn", "aws:PrincipalIsAWSService",
        "aws:PrincipalType", "aws:Referer", "aws:RequestedRegion", "aws:ResourceAccount", "aws:SecureTransport",
        "aws:SourceIp", "aws:UserAgent", "aws:ViaAWSService", "aws:username",
        "s3:ObjectCreationOperation", "s3:RequestObjectTagKeys", "s3:ResourceAccount", "s3:TlsVersion", "s3:authType",
        "s3:delimiter", "s3:if-match", "s3:if-none-match", "s3:locationconstraint", "s3:max-keys", "s3:prefix",
        "s3:signatureAge", "s3:signatureversion", "s3:versionid",
        "s3:x-amz-acl", "s3:x-amz-content-sha256", "s3:x-amz-copy-source", "s3:x-amz-grant-full-control",
        "s3:x-amz-grant-read", "s3:x-amz-grant-read-acp", "s3:x-amz-grant-write", "s3:x-amz-grant-write-acp",
        "s3:x-amz-metadata-directive", "s3:x-amz-object-ownership", "s3:x-amz-server-side-encryption",
        "s3:x-amz-server-side-encryption-aws-kms-key-id", "s3:x-amz-server-side-encryption-customer-algorithm",
        "s3:x-amz-storage-class", "s3:x-amz-website-redirect-location",
    ]

    /// What stands before the key of a tag, in keys that requests here have.
    package static let offeredOfTags: [String] = ["s3:ExistingObjectTag/", "s3:RequestObjectTag/"]

    /// The keys that no request here has, since there is nothing here that they tell of.
    static let absent: [String] = [
        "aws:AssumedRoot", "aws:CalledVia", "aws:CalledViaFirst", "aws:CalledViaLast", "aws:ChatbotSourceArn",
        "aws:Ec2InstanceSourcePrivateIPv4", "aws:Ec2InstanceSourceVpc", "aws:FederatedProvider",
        "aws:MultiFactorAuthAge", "aws:MultiFactorAuthPresent", "aws:PrincipalOrgID", "aws:PrincipalOrgPaths",
        "aws:PrincipalServiceName", "aws:PrincipalServiceNamesList", "aws:ResourceOrgID", "aws:ResourceOrgPaths",
        "aws:SourceAccount", "aws:SourceArn", "aws:SourceIdentity", "aws:SourceOrgID", "aws:SourceOrgPaths",
        "aws:SourceOwner", "aws:SourceVpc", "aws:SourceVpcArn", "aws:SourceVpce", "aws:TagKeys", "aws:TokenIssueTime",
        "aws:VpcSourceIp", "aws:VpceAccount", "aws:VpceOrgID", "aws:VpceOrgPaths", "aws:userid",
        "codebuild:BuildArn", "codebuild:ProjectArn", "ec2:RoleDelivery", "ec2:SourceInstanceArn",
        "glue:CredentialIssuingService", "glue:RoleAssumedBy", "identitystore:UserId", "lambda:SourceFunctionArn",
        "ssm:SourceInstanceArn",
        "s3:AccessGrantScope", "s3:AccessGrantsInstanceArn", "s3:AccessGrantsLocationScope",
        "s3:AccessPointNetworkOrigin", "s3:DataAccessPointAccount", "s3:DataAccessPointArn", "s3:ExistingJobOperation",
        "s3:ExistingJobPriority", "s3:InventoryAccessibleOptionalFields", "s3:JobSuspendedCause",
        "s3:RequestJobOperation", "s3:RequestJobPriority", "s3:annotation-prefix", "s3:deliverySourceArn",
        "s3:destinationRegion", "s3:isReplicationPauseRequest", "s3:logType", "s3:max-annotation-results",
        "s3:object-lock-event-hold", "s3:object-lock-event-hold-duration-days", "s3:object-lock-legal-hold",
        "s3:object-lock-mode", "s3:object-lock-remaining-retention-days", "s3:object-lock-retain-until-date",
        "s3:resourceArnBeingAuthorized", "s3:x-amz-bucket-namespace", "s3:x-amz-object-annotation-directive",
        "s3:x-amz-object-if-match",
    ]

    private static let absentOfTags = [
        "aws:PrincipalTag/", "aws:RequestTag/", "aws:ResourceTag/", "s3:AccessPointTag/", "s3:BucketTag/",
    ]

    /// Whether requests have it.
    enum Standing {
        case offered, absent, unknown
    }

    private static let offeredNames = Set(offered.map { $0.lowercased() })
    private static let absentNames = Set(absent.map { $0.lowercased() })
    private static let offeredPrefixes = offeredOfTags.map { Array($0.lowercased().utf8) }
    private static let absentPrefixes = absentOfTags.map { Array($0.lowercased().utf8) }

    /// - Parameter key: in lower case.
    static func standing(of key: String) -> Standing {
        if offeredNames.contains(key) || isOfTag(key) { return .offered }
        return absentNames.contains(key) || begins(key, absentPrefixes) ? .absent : .unknown
    }

    /// Whether it is one of a tag that requests here have. Such a key has one value; where it has several, their tags'
    /// keys differ in case alone, which names of condition keys do not tell.
    ///
    /// - Parameter key: in lower case.
    static func isOfTag(_ key: String) -> Bool { begins(key, offeredPrefixes) }

    private static func begins(_ key: String, _ prefixes: [[UInt8]]) -> Bool {
        prefixes.contains { key.utf8.count > $0.count && key.utf8.starts(with: $0) }
    }

    /// The key that a wrong one may have been meant to be.
    static func suggestion(for name: String) -> String? {
        let known = offered + absent + offeredOfTags
        let lowerCased = known.map { $0.lowercased() }
        guard let near = Suggestion.nearest(to: name.lowercased(), among: lowerCased),
            let place = lowerCased.firstIndex(of: near)
        else { return nil }
        return known[place]
    }
}
