import Primitives
package import S3Model
import XML

/// Errors as S3 writes them.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html#RESTErrorResponses>
package enum ErrorDocument {
    /// The answer to a request that failed. An answer to `HEAD`, and 304, has no body.
    package static func encode(
        _ error: S3Error, resource: String, requestID: String, hostID: String, method: String
    ) -> WireResponse {
        var response = WireResponse(status: error.code.status)
        for header in error.headers { response.fields[header.name] = header.value }
        guard !method.utf8.elementsEqual("HEAD".utf8), error.code.status != 304 else { return response }
        var writer = XMLWriter()
        writer.element("Error") { writer in
            writer.element("Code", error.code.name)
            writer.element("Message", shown(error.message))
            for detail in error.details { writer.element(detail.name, shown(detail.value)) }
            writer.element("Resource", shown(resource))
            writer.element("RequestId", requestID)
            writer.element("HostId", hostID)
        }
        response.body = writer.bytes
        response.fields["content-type"] = "application/xml"
        return response
    }

    /// The text without what XML 1.0 cannot hold, not even as a reference: a client that cannot parse an error learns
    /// nothing from it. Listings, whose clients want the key itself, do without this.
    private static func shown(_ text: String) -> String {
        guard !text.unicodeScalars.allSatisfy(isHeldByXML) else { return text }
        var shown = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { shown.append(isHeldByXML(scalar) ? scalar : "\u{FFFD}") }
        return String(shown)
    }

    private static func isHeldByXML(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x09, 0x0A, 0x0D, 0x20...0xFFFD, 0x10000...: true
        default: false
        }
    }
}
