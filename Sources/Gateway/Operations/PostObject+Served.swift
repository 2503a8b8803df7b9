package import Primitives
package import S3Model
import S3Wire

extension PostObject: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let bucket = try await gateway.buckets.bucket(input.bucket)
        let created = try await ObjectWriter(gateway, request).create(
            input.key, in: bucket, input.attributes, body: body, length: body.length, checksum: input.checksum)
        return Reply(
            Output(
                etag: created.etag, versionID: created.versionID, checksum: created.checksum,
                location: location(of: input, request, gateway)))
    }

    /// The object's URL by the name that the client called, its key encoded as S3 does here, slashes included.
    private static func location(of input: Input, _ request: RequestContext, _ gateway: Gateway) -> String {
        let key = PercentCoding.encode(input.key.bytes)
        let host = request.incoming.head.fields["host"] ?? ""
        // Without a host (HTTP/1.0) the path is the whole of what is known.
        guard !host.isEmpty else { return "/\(input.bucket)/\(key)" }
        let origin = (request.incoming.isSecure ? "https://" : "http://") + host
        let isVirtual = WireRequest.bucket(inHost: host, domains: gateway.settings.domains) != nil
        return isVirtual ? "\(origin)/\(key)" : "\(origin)/\(input.bucket)/\(key)"
    }
}
