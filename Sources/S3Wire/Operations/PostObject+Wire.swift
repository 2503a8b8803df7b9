import Primitives
package import S3Model
import XML

extension PostObject: WireOperation {
    package static let payload = PayloadKind.stream

    package static func decode(_ request: WireRequest, document: [UInt8]) throws(S3Error) -> Input {
        guard let form = request.form else {
            throw S3Error(
                .preconditionFailed,
                details: [
                    S3Error.Detail("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
                ])
        }
        var attributes = try AttributeDecoding.attributes(request)
        if let tagging = form["tagging"] {
            attributes.tags = try TagDecoding.document(Array(tagging.utf8), limit: ServiceLimits.tagsOfAnObject)
        }
        return Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(), attributes: attributes,
            checksum: try ChecksumDecoding.request(request.fields),
            redirect: FormRedirect.url(form["success_action_redirect"]) ?? FormRedirect.url(form["redirect"]),
            status: status(form["success_action_status"]))
    }

    /// 204, where the form wants none of the three that there are.
    private static func status(_ text: String?) -> Int {
        switch text {
        case "200": 200
        case "201": 201
        default: 204
        }
    }

    package static func encode(_ output: Output, for input: Input) -> WireResponse {
        var response = WireResponse(status: input.status)
        response.fields["location"] = output.location
        if let redirect = input.redirect {
            response.status = 303
            response.fields["location"] = FormRedirect.url(
                redirect, bucket: input.bucket, key: input.key, etag: output.etag)
        } else if input.status == 201 {
            response = WireResponse(status: 201, fields: response.fields, xml: document(output, input))
        }
        response.fields["etag"] = "\"\(output.etag)\""
        ResponseHeaders.version(output.versionID, &response)
        ResponseHeaders.checksum(output.checksum, &response)
        return response
    }

    /// Of all of S3's documents, this one and the error alone are in no namespace.
    private static func document(_ output: Output, _ input: Input) -> [UInt8] {
        var writer = XMLWriter()
        writer.element("PostResponse") { writer in
            writer.element("Location", output.location)
            writer.element("Bucket", input.bucket)
            writer.element("Key", input.key.description)
            writer.element("ETag", "\"\(output.etag)\"")
        }
        return writer.bytes
    }
}
