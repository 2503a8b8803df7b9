import Primitives

/// The actions that policies may name.
enum ActionNames {
    /// The actions of S3, whether they are served or not: policies that were written for S3 name others too.
    ///
    /// Source: <https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html>
    static let ofS3: [String] = [
        "AbortMultipartUpload", "AllowVendedLogDeliveryForResource", "AssociateAccessGrantsIdentityCenter",
        "BypassGovernanceRetention", "CreateAccessGrant", "CreateAccessGrantsInstance", "CreateAccessGrantsLocation",
        "CreateAccessPoint", "CreateAccessPointForObjectLambda", "CreateBucket",
        "CreateBucketMetadataTableConfiguration", "CreateJob", "CreateMultiRegionAccessPoint",
        "CreateStorageLensGroup", "DeleteAccessGrant", "DeleteAccessGrantsInstance",
        "DeleteAccessGrantsInstanceResourcePolicy", "DeleteAccessGrantsLocation", "DeleteAccessPoint",
        "DeleteAccessPointForObjectLambda", "DeleteAccessPointPolicy", "DeleteAccessPointPolicyForObjectLambda",
        "DeleteBucket", "DeleteBucketMetadataTableConfiguration", "DeleteBucketPolicy", "DeleteBucketWebsite",
        "DeleteJobTagging", "DeleteMultiRegionAccessPoint", "DeleteObject", "DeleteObjectAnnotation",
        "DeleteObjectTagging", "DeleteObjectVersion", "DeleteObjectVersionAnnotation", "DeleteObjectVersionTagging",
        "DeleteStorageLensConfiguration", "DeleteStorageLensConfigurationTagging", "DeleteStorageLensGroup",
        "DescribeJob", "DescribeMultiRegionAccessPointOperation", "DissociateAccessGrantsIdentityCenter",
        "GetAccelerateConfiguration", "GetAccessGrant", "GetAccessGrantsInstance", "GetAccessGrantsInstanceForPrefix",
        "GetAccessGrantsInstanceResourcePolicy", "GetAccessGrantsLocation", "GetAccessPoint",
        "GetAccessPointConfigurationForObjectLambda", "GetAccessPointForObjectLambda", "GetAccessPointPolicy",
        "GetAccessPointPolicyForObjectLambda", "GetAccessPointPolicyStatus",
        "GetAccessPointPolicyStatusForObjectLambda", "GetAccountPublicAccessBlock", "GetAnalyticsConfiguration",
        "GetBucketAbac", "GetBucketAcl", "GetBucketCORS", "GetBucketLocation", "GetBucketLogging",
        "GetBucketMetadataTableConfiguration", "GetBucketNotification", "GetBucketObjectLockConfiguration",
        "GetBucketOwnershipControls", "GetBucketPolicy", "GetBucketPolicyStatus", "GetBucketPublicAccessBlock",
        "GetBucketRequestPayment", "GetBucketTagging", "GetBucketVersioning", "GetBucketWebsite", "GetDataAccess",
        "GetEncryptionConfiguration", "GetIntelligentTieringConfiguration", "GetInventoryConfiguration",
        "GetJobTagging", "GetLifecycleConfiguration", "GetMetricsConfiguration", "GetMultiRegionAccessPoint",
        "GetMultiRegionAccessPointPolicy", "GetMultiRegionAccessPointPolicyStatus", "GetMultiRegionAccessPointRoutes",
        "GetObject", "GetObjectAcl", "GetObjectAnnotation", "GetObjectAttributes", "GetObjectLegalHold",
        "GetObjectRetention", "GetObjectTagging", "GetObjectTorrent", "GetObjectVersion", "GetObjectVersionAcl",
        "GetObjectVersionAnnotation", "GetObjectVersionAnnotationForReplication", "GetObjectVersionAttributes",
        "GetObjectVersionForReplication", "GetObjectVersionTagging", "GetObjectVersionTorrent",
        "GetReplicationConfiguration", "GetStorageLensConfiguration", "GetStorageLensConfigurationTagging",
        "GetStorageLensDashboard", "GetStorageLensGroup", "InitiateReplication", "ListAccessGrants",
        "ListAccessGrantsInstances", "ListAccessGrantsLocations", "ListAccessPoints",
        "ListAccessPointsForObjectLambda", "ListAllMyBuckets", "ListBucket", "ListBucketMultipartUploads",
        "ListBucketVersions", "ListCallerAccessGrants", "ListJobs", "ListMultiRegionAccessPoints",
        "ListMultipartUploadParts", "ListObjectAnnotations", "ListObjectVersionAnnotations",
        "ListStorageLensConfigurations", "ListStorageLensGroups", "ListTagsForResource",
        "ObjectOwnerOverrideToBucketOwner", "PauseReplication", "PutAccelerateConfiguration",
        "PutAccessGrantsInstanceResourcePolicy", "PutAccessPointConfigurationForObjectLambda", "PutAccessPointPolicy",
        "PutAccessPointPolicyForObjectLambda", "PutAccessPointPublicAccessBlock", "PutAccountPublicAccessBlock",
        "PutAnalyticsConfiguration", "PutBucketAbac", "PutBucketAcl", "PutBucketCORS", "PutBucketLogging",
        "PutBucketNotification", "PutBucketObjectLockConfiguration", "PutBucketOwnershipControls", "PutBucketPolicy",
        "PutBucketPublicAccessBlock", "PutBucketRequestPayment", "PutBucketTagging", "PutBucketVersioning",
        "PutBucketWebsite", "PutEncryptionConfiguration", "PutIntelligentTieringConfiguration",
        "PutInventoryConfiguration", "PutJobTagging", "PutLifecycleConfiguration", "PutMetricsConfiguration",
        "PutMultiRegionAccessPointPolicy", "PutObject", "PutObjectAcl", "PutObjectAnnotation", "PutObjectLegalHold",
        "PutObjectRetention", "PutObjectTagging", "PutObjectVersionAcl", "PutObjectVersionAnnotation",
        "PutObjectVersionTagging", "PutReplicationConfiguration", "PutStorageLensConfiguration",
        "PutStorageLensConfigurationTagging", "ReplicateDelete", "ReplicateObject", "ReplicateObjectAnnotation",
        "ReplicateTags", "RestoreObject", "SubmitMultiRegionAccessPointRoutes", "TagResource", "UntagResource",
        "UpdateAccessGrantsLocation", "UpdateBucketMetadataAnnotationTableConfiguration",
        "UpdateBucketMetadataInventoryTableConfiguration", "UpdateBucketMetadataJournalTableConfiguration",
        "UpdateJobPriority", "UpdateJobStatus", "UpdateObjectEncryption", "UpdateStorageLensGroup",
    ]

    /// The actions of the admin port, which are this server's own.
    static let ofTidegate: [String] = [
        "AttachBackend", "DetachBackend", "DrainBackend", "GetDurability", "GetRecoveryKey", "ListBackends",
        "ListStores", "ProbeBackend", "RenewRecoveryKey", "RotateBackendCredentials", "SetBackendCapacity",
        "SetBackendWeight",
    ]

    /// Services beside S3 that the policy of a user may speak of, by their prefixes: those that belong to S3, and those
    /// that say who somebody is and guard keys. What is said of them has no effect on what S3 serves.
    static let otherServices: Set<String> = [
        "iam", "kms", "s3-object-lambda", "s3-outposts", "s3express", "s3tables", "s3vectors", "sts",
    ]

    /// The prefix of each service whose actions are known one by one, and these, as they are written.
    private static let services = ["s3": ofS3, "tidegate": ofTidegate]
    private static let lowerCased = services.mapValues { $0.map { $0.lowercased() } }
    private static let known = lowerCased.mapValues { Set($0) }

    /// Whether the actions of a service are known one by one.
    static func knows(_ service: String) -> Bool { services[service] != nil }

    /// Whether a name without its service's prefix, in lower case and perhaps with wildcards, means any action of it.
    static func meansAny(_ name: String, of service: String) throws(PolicyError) -> Bool {
        guard name.utf8.contains(where: { "*?".utf8.contains($0) }) else {
            return known[service]?.contains(name) == true
        }
        guard let pattern = try WildcardPattern(name.utf8, variables: false).compiled else { return false }
        // The policy's size bounds the cost, and it is paid once.
        let cost = EvaluationCost(limit: .max)
        return lowerCased[service]?.contains { pattern.matches(Array($0.utf8), cost) } == true
    }

    /// The action of a service that a wrong one may have been meant to be.
    static func suggestion(for name: String, of service: String) -> String? {
        // Case is nothing that makes an action wrong.
        guard let names = lowerCased[service], let near = Suggestion.nearest(to: name.lowercased(), among: names),
            let place = names.firstIndex(of: near)
        else { return nil }
        return services[service].map { "\(service):\($0[place])" }
    }
}
