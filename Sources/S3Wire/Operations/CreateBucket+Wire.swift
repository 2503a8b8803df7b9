import Primitives
package import S3Model
import XML

extension CreateBucket: WireOperation {
    package static let payload = PayloadKind.document(limit: ServiceLimits.documentSize)

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let bucket = try request.requiredBucket()
        guard BucketName.isValid(bucket) else {
            throw S3Error(.invalidBucketName, details: [S3Error.Detail("BucketName", bucket)])
        }
        if let ownership = request.fields["x-amz-object-ownership"],
            !ownership.utf8.elementsEqual("BucketOwnerEnforced".utf8)
        {
            throw S3Error(
                .notImplemented, "Buckets are owned as BucketOwnerEnforced says; other ownership is not implemented.",
                details: [S3Error.Detail("Header", "x-amz-object-ownership")])
        }
        var location: String?
        if !document.isEmpty {
            let root = try Document.parse(document, root: "CreateBucketConfiguration")
            location = root.child("LocationConstraint")?.text
            if root.child("Tags") != nil || root.child("Bucket") != nil {
                throw S3Error(.notImplemented, "Tags and directory buckets cannot be named when a bucket is created.")
            }
        }
        let lock = request.fields["x-amz-bucket-object-lock-enabled"]?.lowercased() == "true"
        if lock {
            throw S3Error(
                .notImplemented, "Object Lock is not implemented.",
                details: [S3Error.Detail("Header", "x-amz-bucket-object-lock-enabled")])
        }
        return Input(bucket: bucket, location: location, wantsObjectLock: lock)
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        WireResponse(fields: ["location": "/" + output.bucket])
    }
}
