import Primitives
package import S3Model

/// Reads what the header fields say of the bytes that follow.
package enum PayloadDecoding {
    /// Bytes of the object or part, once aws-chunked framing is removed.
    /// - Throws: `MissingContentLength`, or `NotImplemented` where the length is left to `Transfer-Encoding`, as S3
    ///   does; `EntityTooLarge`, `InvalidArgument`.
    package static func length(_ request: WireRequest) throws(S3Error) -> Int64 {
        let name =
            request.fields.contains("x-amz-decoded-content-length") ? "x-amz-decoded-content-length" : "content-length"
        guard let text = request.fields[name] else {
            guard request.fields.contains("transfer-encoding") else { throw S3Error(.missingContentLength) }
            throw S3Error(
                .notImplemented, "A header you provided implies functionality that is not implemented",
                details: [S3Error.Detail("Header", "Transfer-Encoding")])
        }
        guard let length = HeaderDecoding.decimal(Substring(text).utf8) else {
            throw S3Error(
                .invalidArgument, "\(name) must be a number.", details: [S3Error.Detail("ArgumentName", name)])
        }
        guard length <= ServiceLimits.putSize else {
            throw S3Error(
                .entityTooLarge,
                details: [
                    S3Error.Detail("ProposedSize", text),
                    S3Error.Detail("MaxSizeAllowed", String(ServiceLimits.putSize)),
                ])
        }
        return length
    }

    /// `partNumber`, 1 to 10,000.
    static func partNumber(_ request: WireRequest) throws(S3Error) -> Int {
        guard let text = request.query["partNumber"], let number = Int(text), ServiceLimits.partNumbers.contains(number)
        else {
            throw S3Error(
                .invalidArgument, "Part number must be an integer between 1 and 10000, inclusive",
                details: [
                    S3Error.Detail("ArgumentName", "partNumber"),
                    S3Error.Detail("ArgumentValue", request.query["partNumber"] ?? ""),
                ])
        }
        return number
    }
}
