import Metadata
package import Primitives
package import S3Model
import S3Wire

extension ListMultipartUploads: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        var upload: UploadID?
        if let marker = input.uploadMarker {
            guard let id = UploadID(marker) else {
                throw S3Error(
                    .invalidArgument, "Invalid uploadId marker",
                    details: [
                        S3Error.Detail("ArgumentName", "upload-id-marker"), S3Error.Detail("ArgumentValue", marker),
                    ])
            }
            upload = id
        }
        let listing = try await UploadLister(gateway.versions, bucket: bucket.id).page(
            prefix: input.prefix, delimiter: input.delimiter, after: input.keyMarker, upload: upload,
            limit: input.limit,
            owner: gateway.owner)
        return Reply(Output(listing: listing, owner: gateway.owner(bucket.record.account)))
    }
}
