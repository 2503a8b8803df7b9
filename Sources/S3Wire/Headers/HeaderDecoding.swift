package import Primitives
package import S3Model

/// Reads header fields that several operations share.
package enum HeaderDecoding {
    /// A version id from the query; nil where none is asked for.
    package static func versionID(_ request: WireRequest) throws(S3Error) -> VersionID? {
        guard let text = request.query["versionId"] else { return nil }
        guard let id = VersionID(text) else {
            throw S3Error(
                .invalidArgument, "Invalid version id specified",
                details: [S3Error.Detail("ArgumentName", "versionId"), S3Error.Detail("ArgumentValue", text)])
        }
        return id
    }

    /// A number in a range; `fallback` where the name is absent.
    package static func number(
        _ request: WireRequest, _ name: String, in range: ClosedRange<Int>, fallback: Int
    ) throws(S3Error) -> Int {
        guard let text = request.query[name] else { return fallback }
        guard !text.isEmpty else { return fallback }
        // Beyond the range a number is cut down to it, but only one that S3 could hold.
        guard let value = decimal(text[...].utf8).flatMap({ Int(exactly: $0) }), value >= range.lowerBound,
            value <= max(range.upperBound, Int(Int32.max))
        else {
            throw S3Error(
                .invalidArgument, "\(name) must be a number from \(range.lowerBound) to \(range.upperBound).",
                details: [S3Error.Detail("ArgumentName", name), S3Error.Detail("ArgumentValue", text)])
        }
        return min(value, range.upperBound)
    }

    /// `If-Match` and the like. Dates that do not parse are ignored, as RFC 9110 §13.1.3 wants.
    package static func preconditions(_ fields: HeaderFields, prefix: String = "") -> Preconditions {
        Preconditions(
            ifMatch: fields[prefix + "if-match"].map(entityTags),
            ifNoneMatch: fields[prefix + "if-none-match"].map(entityTags),
            ifModifiedSince: fields[prefix + "if-modified-since"].flatMap { Timestamp(httpDate: $0) },
            ifUnmodifiedSince: fields[prefix + "if-unmodified-since"].flatMap { Timestamp(httpDate: $0) })
    }

    /// The conditions that a write may carry: tags, but no times, which S3 ignores on writes.
    ///
    /// S3 itself takes `*` alone in an `If-None-Match`; a tag there means what RFC 9110 §13.1.2 says, as other servers
    /// have it.
    package static func writePreconditions(_ fields: HeaderFields) -> Preconditions {
        let conditions = preconditions(fields)
        return Preconditions(ifMatch: conditions.ifMatch, ifNoneMatch: conditions.ifNoneMatch)
    }

    /// What must hold of an object for it to be deleted, as texts. What does not parse is refused, since a condition
    /// that is ignored deletes what it was to spare.
    /// - Throws: `InvalidArgument`.
    package static func deletePreconditions(
        etag: String?, modified: String?, size: String?
    ) throws(S3Error) -> DeletePreconditions {
        var length: Int64?
        if let size {
            length = decimal(Substring(size).utf8)
            guard length != nil else { throw invalid("x-amz-if-match-size", size) }
        }
        return DeletePreconditions(
            etag: etag.map(entityTag), modified: try time(modified, "x-amz-if-match-last-modified-time"), size: length)
    }

    /// A time that a condition names; nil where there is none.
    /// - Throws: `InvalidArgument` for what is no time.
    package static func time(_ text: String?, _ name: String) throws(S3Error) -> Timestamp? {
        guard let text else { return nil }
        guard let time = Timestamp(httpDate: text) ?? Timestamp(iso8601: text) else { throw invalid(name, text) }
        return time
    }

    private static func invalid(_ name: String, _ value: String) -> S3Error {
        S3Error(
            .invalidArgument, "The value of \(name) is not valid.",
            details: [S3Error.Detail("ArgumentName", name), S3Error.Detail("ArgumentValue", value)])
    }

    /// A list of entity tags, without quotes and weakness marks.
    package static func entityTags(_ value: String) -> [String] {
        value.utf8.split(separator: UInt8(ascii: ",")).map { entityTag(String(Substring($0))) }
    }

    /// An entity tag without quotes, white space around it and a weakness mark.
    package static func entityTag(_ text: String) -> String {
        var bytes = text.utf8[...]
        while let first = bytes.first, first == 0x20 || first == 0x09 { bytes.removeFirst() }
        while let last = bytes.last, last == 0x20 || last == 0x09 { bytes.removeLast() }
        if bytes.starts(with: "W/".utf8) { bytes = bytes.dropFirst(2) }
        if bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\""), bytes.count >= 2 {
            bytes = bytes.dropFirst().dropLast()
        }
        return String(Substring(bytes))
    }

    /// One range of bytes, or nil for a header that is absent, names another unit or several ranges, or does not parse:
    /// RFC 9110 §14.2 has such a header ignored, and S3 does ignore it.
    package static func range(_ value: String?) -> ByteRangeRequest? {
        guard let value, value.utf8.starts(with: "bytes=".utf8) else { return nil }
        let spec = value.utf8.dropFirst(6)
        guard let dash = spec.firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let (first, last) = (spec[..<dash], spec[spec.index(after: dash)...])
        if first.isEmpty { return decimal(last).map(ByteRangeRequest.last) }
        guard let start = decimal(first) else { return nil }
        if last.isEmpty { return .from(start, through: nil) }
        guard let end = decimal(last), end >= start else { return nil }
        return .from(start, through: end)
    }

    /// What `If-Range` names: a strong entity tag or a date.
    package static func rangeValidator(_ value: String?) -> RangeValidator? {
        guard let value else { return nil }
        if value.utf8.first == UInt8(ascii: "\"") { return .etag(entityTag(value)) }
        return Timestamp(httpDate: value).map(RangeValidator.date) ?? RangeValidator.none
    }

    /// Decimal digits alone; a number too great for an Int64 counts as the greatest.
    package static func decimal(_ digits: Substring.UTF8View) -> Int64? {
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        var value: Int64 = 0
        for digit in digits {
            let (product, overflow) = value.multipliedReportingOverflow(by: 10)
            let (sum, carry) = product.addingReportingOverflow(Int64(digit - 0x30))
            if overflow || carry { return .max }
            value = sum
        }
        return value
    }
}
