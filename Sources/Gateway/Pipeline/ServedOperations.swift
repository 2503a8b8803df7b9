import S3Model

/// Every operation that is served.
package enum ServedOperations {
    package static let all: [any ServedOperation.Type] = [
        AbortMultipartUpload.self, CompleteMultipartUpload.self, CopyObject.self, CreateBucket.self,
        CreateMultipartUpload.self, DeleteBucket.self, DeleteBucketPolicy.self, DeleteBucketSetting.self,
        DeleteBucketTagging.self, DeleteObject.self, DeleteObjects.self, DeleteObjectTagging.self,
        DeletePublicAccessBlock.self, GetBucketAcl.self, GetBucketLocation.self, GetBucketPolicy.self,
        GetBucketPolicyStatus.self, GetBucketSetting.self, GetBucketTagging.self, GetBucketVersioning.self,
        GetObject.self, GetObjectAcl.self, GetObjectAttributes.self, GetObjectTagging.self, GetPublicAccessBlock.self,
        HeadBucket.self, HeadObject.self, ListBuckets.self, ListMultipartUploads.self, ListObjects.self,
        ListObjectsV2.self, ListObjectVersions.self, ListParts.self, PostObject.self, PutBucketAcl.self,
        PutBucketPolicy.self, PutBucketTagging.self, PutBucketVersioning.self, PutObject.self, PutObjectAcl.self,
        PutObjectLockConfiguration.self, PutObjectTagging.self, PutPublicAccessBlock.self, UploadPart.self,
        UploadPartCopy.self, UseObjectLock.self,
    ]
}
