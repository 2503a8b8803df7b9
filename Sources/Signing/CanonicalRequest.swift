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
        guard let path = PercentCoding.decode(head.rawPath.utf8.span) else { throw .malformedURI }
        var bytes = Array(head.method.utf8)
        bytes.reserveCapacity(head.target.utf8.count + 512)
        bytes.append(0x0A)
        PercentCoding.append(path[...], to: &bytes, keepingSlash: true)
        bytes.append(0x0A)
        Self.append(query: try head.parameters(), to: &bytes)
        for name in signedHeaders {
            bytes.append(0x0A)
            bytes += name.utf8
            bytes.append(UInt8(ascii: ":"))
            var isFirst = true
            for field in head.fields.fields where field.name == name {
                if !isFirst { bytes.append(UInt8(ascii: ",")) }
                isFirst = false
                Self.appendTrimmed(field.value, to: &bytes)
            }
        }
        bytes += [0x0A, 0x0A]
        for (index, name) in signedHeaders.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: ";")) }
            bytes += name.utf8
        }
        bytes.append(0x0A)
        bytes += payload.utf8
        self.bytes = bytes
    }

    /// The text that is signed: algorithm, date, scope and the hash of this.
    package func stringToSign(date: Timestamp, scope: CredentialScope) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(192)
        text += SignatureV4Request.algorithm.utf8
        text.append(0x0A)
        text += date.iso8601Basic.utf8
        text.append(0x0A)
        scope.append(to: &text)
        text.append(0x0A)
        Hex.append(Digest.hash(.sha256, bytes), to: &text)
        return text
    }

    /// The parameters by name and value, encoded anew. The signature itself is no part of what it signs.
    private static func append(query: [QueryParameter], to bytes: inout [UInt8]) {
        typealias Place = (name: Range<Int>, value: Range<Int>)
        var encoded: [UInt8] = []
        encoded.reserveCapacity(512)
        var places: [Place] = []
        for parameter in query where !parameter.isNamed(PresignedQuery.signature) {
            let start = encoded.count
            PercentCoding.append(parameter.name, to: &encoded)
            let end = encoded.count
            PercentCoding.append(parameter.value, to: &encoded)
            places.append((start..<end, end..<encoded.count))
        }
        func precedes(_ left: Place, _ right: Place) -> Bool {
            let (name, other) = (encoded[left.name], encoded[right.name])
            guard name.elementsEqual(other) else { return name.lexicographicallyPrecedes(other) }
            return encoded[left.value].lexicographicallyPrecedes(encoded[right.value])
        }
        // Most signers send them in order.
        if places.indices.dropFirst().contains(where: { !precedes(places[$0 - 1], places[$0]) }) {
            places.sort(by: precedes)
        }
        for (index, place) in places.enumerated() {
            if index > 0 { bytes.append(UInt8(ascii: "&")) }
            bytes += encoded[place.name]
            bytes.append(UInt8(ascii: "="))
            bytes += encoded[place.value]
        }
    }

    private static func appendTrimmed(_ value: String, to bytes: inout [UInt8]) {
        // A space is owed once a word has come, and paid before the next one.
        var (hasWord, owesSpace) = (false, false)
        for byte in value.utf8 {
            if byte == 0x20 || byte == 0x09 {
                owesSpace = hasWord
            } else {
                if owesSpace { bytes.append(0x20) }
                (hasWord, owesSpace) = (true, false)
                bytes.append(byte)
            }
        }
    }
}
