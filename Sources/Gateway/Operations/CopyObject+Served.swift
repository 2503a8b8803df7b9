import Metadata
package import Primitives
package import S3Model
import S3Wire

extension CopyObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let source = try await CopyReader(gateway, request).source(
            input.source, preconditions: input.sourcePreconditions)
        try checkSelf(input, source)
        let from = source.version.record
        guard from.size <= ServiceLimits.putSize else {
            throw S3Error(
                .invalidRequest,
                "The specified copy source is larger than the maximum allowable size for a copy source: "
                    + "\(ServiceLimits.putSize)"
            )
        }
        let attributes = try await attributes(input, source, request, gateway)
        let bucket = try await gateway.buckets.bucket(input.bucket)
        var record = VersionRecord(attributes, modified: gateway.environment.now(), uid: gateway.environment.random())
        let copy = try await CopyReader(gateway, request).copy(source, input, template: record, to: bucket)
        (record.size, record.etag, record.checksum) = (from.size, copy.etag, copy.checksum)
        record.segments = copy.segments
        let id = try await ObjectWriter(gateway, request).publish(
            record, key: input.key, bucketName: input.bucket, preconditions: input.preconditions, expecting: bucket.id)
        return Reply(
            Output(
                etag: record.etag, modified: record.modified, versionID: id, sourceVersionID: source.visibleID,
                checksum: record.checksum.map { Checksum($0) }))
    }

    /// A copy of the current version onto itself must change something.
    private static func checkSelf(_ input: Input, _ source: CopyReader.Source) throws(S3Error) {
        guard input.source.bucket.utf8.elementsEqual(input.bucket.utf8), input.source.key == input.key,
            input.source.versionID == nil, !input.replacesMetadata
        else { return }
        let changesClass =
            input.attributes.storageClass.map { $0 != source.version.record.storageClass ?? "STANDARD" } ?? false
        guard changesClass || input.attributes.headers["x-amz-website-redirect-location"] != nil else {
            throw S3Error(
                .invalidRequest,
                "This copy request is illegal because it is trying to copy an object to itself without changing "
                    + "the object's metadata, storage class, website redirect location or encryption attributes."
            )
        }
    }

    /// The copy's attributes: the source's or the request's, as the directives say. Tags need a permission of their own
    /// where the source has some (versitygw 8d5b2be0).
    private static func attributes(
        _ input: Input, _ source: CopyReader.Source, _ request: RequestContext, _ gateway: Gateway
    ) async throws(S3Error) -> ObjectAttributes {
        let from = source.version.record
        var attributes = input.attributes
        if !input.replacesMetadata {
            attributes.metadata = from.metadata
            let redirect = attributes.headers["x-amz-website-redirect-location"]
            attributes.headers = from.headers
            // A redirect is never copied.
            attributes.headers["x-amz-website-redirect-location"] = redirect
        }
        guard !input.replacesTags, !from.tags.isEmpty else { return attributes }
        let authorizer = Authorizer(gateway, request)
        for access in ObjectReadAccess.accesses(
            "s3:GetObjectTagging", bucket: input.source.bucket, key: input.source.key,
            version: input.source.versionID)
        {
            try await authorizer.require(access)
        }
        attributes.tags = from.tags.map { Tag(key: $0.key, value: $0.value) }
        for access in ObjectWriteAccess.tagging(
            bucket: input.bucket, key: input.key, version: nil, tags: attributes.tags)
        {
            try await authorizer.require(access)
        }
        return attributes
    }
}
