import Primitives

/// The last line of what signature version 2 signs: the path as it was sent, behind the bucket that the host names, and
/// the parameters of the query that name a sub-resource or change the answer.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>. Its list of sub-resources
/// stops where S3 was in 2012; S3 signs those that came later too, and clients that use them sign them.
struct CanonicalizedResource {
    /// Parameters that are signed with their value, an empty one too.
    private static let valued: Set<String> = [
        "partNumber", "response-cache-control", "response-content-disposition", "response-content-encoding",
        "response-content-language", "response-content-type", "response-expires", "select-type", "uploadId",
        "versionId",
    ]
    /// Parameters whose name alone says something; a value is signed if there is one.
    private static let named: Set<String> = [
        "abac", "accelerate", "acl", "analytics", "annotation", "annotationName", "attributes", "cors", "delete",
        "encryption", "intelligent-tiering", "inventory", "legal-hold", "lifecycle", "location", "logging",
        "metadataAnnotationTable", "metadataConfiguration", "metadataInventoryTable", "metadataJournalTable",
        "metadataTable", "metrics", "notification", "object-lock", "ownershipControls", "policy", "policyStatus",
        "publicAccessBlock", "replication", "requestPayment", "restore", "retention", "select", "tagging", "torrent",
        "uploads", "versioning", "versions", "website",
    ]

    /// Whether the signature covers a parameter of this name.
    static func isSigned(_ name: String) -> Bool { valued.contains(name) || named.contains(name) }

    /// The line, in each spelling that a signer of this request may have used, the usual one first.
    let spellings: [[UInt8]]

    /// - Parameter bucketOfHost: the bucket that the host names; nil where the path does.
    /// - Throws: `InvalidURI` for a query that does not decode, `InvalidArgument` for a parameter that comes twice,
    ///   `AccessDenied` for one that could be another's text.
    init(head: RequestHead, bucketOfHost: String?) throws(SigningError) {
        let path = Array(head.rawPath.utf8)
        let parameters = try Self.parameters(of: try head.parameters())
        if let bucketOfHost {
            spellings = [[UInt8(ascii: "/")] + Array(bucketOfHost.utf8) + path + parameters]
        } else if path.count > 1, !path.dropFirst().contains(UInt8(ascii: "/")) {
            // A bucket without a slash behind it. Clients of botocore sign the slash that they don't send; it is the
            // same bucket to whoever reads the path.
            spellings = [path + parameters, path + [UInt8(ascii: "/")] + parameters]
        } else {
            spellings = [path + parameters]
        }
    }

    /// The signed parameters in order of their names, behind a question mark.
    private static func parameters(of query: [QueryParameter]) throws(SigningError) -> [UInt8] {
        var kept: [(name: String, value: ArraySlice<UInt8>)] = []
        for item in query {
            guard let name = String(validating: item.name, as: UTF8.self), isSigned(name) else { continue }
            guard !kept.contains(where: { $0.name.utf8.elementsEqual(item.name) }) else {
                throw .invalidArgument("The query names \(name) more than once.", name: name)
            }
            guard !hidesParameter(item.value) else {
                throw .accessDenied("The value of \(name) cannot be told from another parameter in what is signed.")
            }
            kept.append((name, item.value))
        }
        var bytes: [UInt8] = []
        for (name, value) in kept.sorted(by: { $0.name.utf8.lexicographicallyPrecedes($1.name.utf8) }) {
            bytes.append(bytes.isEmpty ? UInt8(ascii: "?") : UInt8(ascii: "&"))
            bytes += name.utf8
            guard !value.isEmpty || valued.contains(name) else { continue }
            bytes.append(UInt8(ascii: "="))
            bytes += value
        }
        return bytes
    }

    /// Whether a value has `&` and the name of a signed parameter in it. Values are signed decoded, so that it would
    /// read as one: `response-expires=a` with `versionId=b`, and `response-expires` of `a&versionId=b`, are one text.
    private static func hidesParameter(_ value: ArraySlice<UInt8>) -> Bool {
        value.split(separator: UInt8(ascii: "&"), omittingEmptySubsequences: false).dropFirst().contains { piece in
            isSigned(String(decoding: Array(piece.prefix { $0 != UInt8(ascii: "=") }), as: UTF8.self))
        }
    }
}
