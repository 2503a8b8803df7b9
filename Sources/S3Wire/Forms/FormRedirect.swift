import Primitives
import S3Model

/// Where a browser is sent after a form was stored.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html>
enum FormRedirect {
    /// The URL, if it is one that a browser can be sent to; S3 takes any other for absent. It is an absolute `http` or
    /// `https` URL in the characters of RFC 3986, none of which ends a header field.
    static func url(_ text: String?) -> String? {
        guard let text, text.utf8.allSatisfy(isAllowed) else { return nil }
        let scheme = ["https://", "http://"].first { text.lowercased().utf8.starts(with: $0.utf8) }
        guard let scheme else { return nil }
        let authority = text.utf8.dropFirst(scheme.utf8.count).prefix { !"/?#".utf8.contains($0) }
        let host = authority.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false).last
        guard let host, let first = host.first, first != UInt8(ascii: ":"), PercentCoding.decode(text.utf8) != nil
        else {
            return nil
        }
        return text
    }

    /// The URL with what was stored in its query, before a fragment.
    static func url(_ base: String, bucket: String, key: ObjectKey, etag: String) -> String {
        let address = base.utf8.prefix { $0 != UInt8(ascii: "#") }
        let separator = address.contains(UInt8(ascii: "?")) ? "&" : "?"
        let query =
            "bucket=\(PercentCoding.encode(bucket.utf8))&key=\(PercentCoding.encode(key.bytes))"
            + "&etag=\(PercentCoding.encode("\"\(etag)\"".utf8))"
        return String(Substring(address)) + separator + query + String(Substring(base.utf8[address.endIndex...]))
    }

    private static let marks = Set(":/?#[]@!$&'()*+,;=%".utf8)

    private static func isAllowed(_ byte: UInt8) -> Bool {
        PercentCoding.isUnreserved(byte) || marks.contains(byte)
    }
}
