import Primitives
package import S3Model
import XML

extension ListBuckets: WireOperation {
    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        let limit = try HeaderDecoding.number(request, "max-buckets", in: 1...Int(Int32.max), fallback: 10_000)
        guard limit <= 10_000 else {
            throw S3Error(
                .invalidArgument, "Argument max-buckets must be an integer between 1 and 10000",
                details: [
                    S3Error.Detail("ArgumentName", "max-buckets"), S3Error.Detail("ArgumentValue", String(limit)),
                ])
        }
        return Input(
            prefix: request.query["prefix"] ?? "", limit: limit,
            token: request.query["continuation-token"],
            region: request.query["bucket-region"])
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        let xml = XMLWriter.document("ListAllMyBucketsResult") { writer in
            Elements.owner(output.owner, &writer)
            writer.element("Buckets") { writer in
                for bucket in output.buckets {
                    writer.element("Bucket") { writer in
                        writer.element("Name", bucket.name)
                        writer.element("CreationDate", bucket.created.iso8601)
                        writer.element("BucketRegion", bucket.region)
                    }
                }
            }
            if let token = output.token { writer.element("ContinuationToken", token) }
            if !output.prefix.isEmpty { writer.element("Prefix", output.prefix) }
        }
        return WireResponse(xml: xml)
    }
}
