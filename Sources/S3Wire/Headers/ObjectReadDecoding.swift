import Primitives
import S3Model

/// Reads what GetObject and HeadObject share.
enum ObjectReadDecoding {
    /// Header fields of the answer, and the parameters that ask for other values.
    private static let overridable = [
        "content-type", "content-language", "expires", "cache-control", "content-disposition", "content-encoding",
    ].map { (name: $0, parameter: "response-" + $0) }

    static func input(_ request: WireRequest) throws(S3Error) -> ObjectRead.Input {
        var overrides: [String: String] = [:]
        for (name, parameter) in overridable {
            guard let value = request.query[parameter] else { continue }
            // An answer whose headers the link alone decides must come from somebody who can be named.
            guard !request.isAnonymous else {
                throw S3Error(
                    .invalidRequest, "Request specific response headers cannot be used for anonymous GET requests.")
            }
            guard value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
                throw S3Error(.invalidArgument, "\(parameter) must not contain control characters.")
            }
            overrides[name] = value
        }
        let range = HeaderDecoding.range(request.fields["range"])
        var partNumber: Int?
        if request.query.contains("partNumber") {
            partNumber = try PayloadDecoding.partNumber(request)
            guard range == nil else {
                throw S3Error(.invalidRequest, "Cannot specify both Range header and partNumber query parameter")
            }
        }
        return ObjectRead.Input(
            bucket: try request.requiredBucket(), key: try request.requiredKey(),
            versionID: try HeaderDecoding.versionID(request), partNumber: partNumber, range: range,
            ifRange: HeaderDecoding.rangeValidator(request.fields["if-range"]),
            preconditions: HeaderDecoding.preconditions(request.fields), overrides: overrides,
            wantsChecksum: request.fields["x-amz-checksum-mode"]?.uppercased() == "ENABLED")
    }
}
