import Primitives

/// What signature version 2 signs of a request: its method, `Content-MD5`, `Content-Type` and date, a line for each
/// `x-amz-*` header, and the resource.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>
struct StringToSignV2 {
    /// The text in each spelling that a signer may have used, the usual one first.
    let spellings: [[UInt8]]

    /// - Parameters:
    ///   - head: with the query's `x-amz-*` parameters among its fields.
    ///   - bucketOfHost: the bucket that the host names; nil where the path does.
    /// - Throws: `InvalidArgument` for a header that comes twice and is no list; what `CanonicalizedResource` throws.
    init(head: RequestHead, dateLine: String, bucketOfHost: String?) throws(SigningError) {
        let contentMD5 = try SignatureV4Request.single("content-md5", in: head)
        let contentType = try SignatureV4Request.single("content-type", in: head)
        var bytes: [UInt8] = []
        for line in [head.method, contentMD5 ?? "", contentType ?? "", dateLine] {
            bytes += line.utf8
            bytes.append(0x0A)
        }
        bytes += try Self.amzHeaders(head)
        spellings = try CanonicalizedResource(head: head, bucketOfHost: bucketOfHost).spellings.map { bytes + $0 }
    }

    /// Every header whose name begins with `x-amz-`, in order of their names. Whatever is not signed makes another text
    /// (CVE-2026-54330).
    private static func amzHeaders(_ head: RequestHead) throws(SigningError) -> [UInt8] {
        let names = Set(head.fields.fields.map(\.name).filter { $0.utf8.starts(with: "x-amz-".utf8) })
        var bytes: [UInt8] = []
        for name in names.sorted(by: { $0.utf8.lexicographicallyPrecedes($1.utf8) }) {
            let values = head.fields.values(name)
            // The values of one name are joined, so that one value with a comma and two values are one text. Only
            // metadata means the same in both.
            guard values.count == 1 || name.utf8.starts(with: "x-amz-meta-".utf8) else { throw .repeated(name) }
            bytes += name.utf8
            bytes.append(UInt8(ascii: ":"))
            bytes += values.map(\.trimmingSpaces).joined(separator: ",").utf8
            bytes.append(0x0A)
        }
        return bytes
    }
}
