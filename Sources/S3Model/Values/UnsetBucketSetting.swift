/// A configuration that clients read from every bucket and that no bucket of ours has yet.
package enum UnsetBucketSetting: String, Sendable, Hashable, CaseIterable {
    case accelerate
    case cors
    case encryption
    case lifecycle
    case logging
    case notification
    case objectLock = "object-lock"
    case ownershipControls
    case replication
    case requestPayment
    case website

    /// The operation that reads it.
    package var operation: String {
        switch self {
        case .accelerate: "GetBucketAccelerateConfiguration"
        case .cors: "GetBucketCors"
        case .encryption: "GetBucketEncryption"
        case .lifecycle: "GetBucketLifecycleConfiguration"
        case .logging: "GetBucketLogging"
        case .notification: "GetBucketNotificationConfiguration"
        case .objectLock: "GetObjectLockConfiguration"
        case .ownershipControls: "GetBucketOwnershipControls"
        case .replication: "GetBucketReplication"
        case .requestPayment: "GetBucketRequestPayment"
        case .website: "GetBucketWebsite"
        }
    }

    /// The action that reading it takes.
    package var action: String {
        switch self {
        case .accelerate: "s3:GetAccelerateConfiguration"
        case .cors: "s3:GetBucketCORS"
        case .encryption: "s3:GetEncryptionConfiguration"
        case .lifecycle: "s3:GetLifecycleConfiguration"
        case .logging: "s3:GetBucketLogging"
        case .notification: "s3:GetBucketNotification"
        case .objectLock: "s3:GetBucketObjectLockConfiguration"
        case .ownershipControls: "s3:GetBucketOwnershipControls"
        case .replication: "s3:GetReplicationConfiguration"
        case .requestPayment: "s3:GetBucketRequestPayment"
        case .website: "s3:GetBucketWebsite"
        }
    }

    /// An operation that removes a setting.
    package struct Removal: Sendable, Hashable {
        package var operation: String
        /// The action that it takes.
        package var action: String
    }

    /// What removes it; nil where S3 has no such operation, or where its outcome would not be what S3 promises.
    package var removal: Removal? {
        switch self {
        case .cors: Removal(operation: "DeleteBucketCors", action: "s3:PutBucketCORS")
        case .encryption: Removal(operation: "DeleteBucketEncryption", action: "s3:PutEncryptionConfiguration")
        case .lifecycle: Removal(operation: "DeleteBucketLifecycle", action: "s3:PutLifecycleConfiguration")
        case .replication: Removal(operation: "DeleteBucketReplication", action: "s3:PutReplicationConfiguration")
        case .website: Removal(operation: "DeleteBucketWebsite", action: "s3:DeleteBucketWebsite")
        // Without its ownership controls a bucket of S3 takes access control lists.
        case .ownershipControls: nil
        case .accelerate, .logging, .notification, .objectLock, .requestPayment: nil
        }
    }
}
