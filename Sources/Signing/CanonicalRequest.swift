import Cryptography
package import Primitives

/// The canonical form of a request, which is what is hashed and signed.
///
/// S3's rules: the path is decoded once and encoded once, never normalised; the query is sorted by encoded name and
/// value; header values are trimmed and their inner runs of white space are one space. Source:
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html>
package struct CanonicalRequest: Sendable {
    package let bytes: [UInt8]

    /// - Parameters:
    ///   - signedHeaders: lower-case names, sorted. One that the request lacks is written with an empty value.
    ///   - payload: the last line: a SHA-256 in hexadecimal digits, or a word such as `UNSIGNED-PAYLOAD`.
    /// - Throws: `InvalidURI` where path or query do not decode.
    package init(head: RequestHead, signedHeaders: [String], payload: String) throws(SigningError) {
        guard let path = PercentCoding.decode(head.rawPath.utf8) else { throw .malformedURI }
        var bytes = Array(head.method.utf8)
        func line(_ text: String) {
            bytes.append(0x0A)
            bytes += text.utf8
        }
        line(PercentCoding.encode(path, keepingSlash: true))
        line(Self.query(try QueryItem.parse(head.rawQuery)))
        for name in signedHeaders {
            line(name)
            bytes.append(UInt8(ascii: ":"))
            for (index, value) in head.fields.values(name).enumerated() {
                if index > 0 { bytes.append(UInt8(ascii: ",")) }
                Self.appendTrimmed(value, to: &bytes)
            }
        }
        line("")
        line(signedHeaders.joined(separator: ";"))
        line(payload)
        self.bytes = bytes
    }

    /// The text that is signed: algorithm, date, scope and the hash of this.
    package func stringToSign(date: Timestamp, scope: CredentialScope) -> String {
        "\(SignatureV4Request.algorithm)\n\(date.iso8601Basic)\n\(scope)\n\(Hex.encode(Digest.hash(.sha256, bytes)))"
    }

    /// The signature itself is no part of what it signs.
    private static func query(_ items: [QueryItem]) -> String {
        let encoded = items.filter { !$0.isNamed(PresignedQuery.signature) }
            .map { (name: PercentCoding.encode($0.name), value: PercentCoding.encode($0.value)) }
        // Encoded texts are ASCII, whose order as strings is the order of their bytes.
        return encoded.sorted { ($0.name, $0.value) < ($1.name, $1.value) }
            .map { "\($0.name)=\($0.value)" }.joined(separator: "&")
    }

    private static func appendTrimmed(_ value: String, to bytes: inout [UInt8]) {
        var isFirst = true
        for word in value.utf8.split(whereSeparator: { $0 == 0x20 || $0 == 0x09 }) {
            if !isFirst { bytes.append(0x20) }
            bytes += word
            isFirst = false
        }
    }
}
