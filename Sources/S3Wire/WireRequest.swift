package import Primitives
package import S3Model

/// A request taken apart: method, bucket, key and query, each decoded once, and the header fields.
///
/// These values, and no others, go to policy, index and audit.
package struct WireRequest: Sendable {
    package var method: String
    package var bucket: String?
    package var key: ObjectKey?
    /// The bucket where the host names it (virtual-host style); nil where the path does. Signature version 2 signs it.
    package private(set) var bucketOfHost: String?
    package var query: QueryItems
    package var fields: HeaderFields
    /// The fields of the form that the request was sent as, by lower-case name, values as they came; nil for any other
    /// request. `fields` then holds what they say of the object.
    package var form: HeaderFields?
    /// What error answers name as the resource: the decoded path.
    package var resource: String
    /// Whether the caller gave no credentials.
    package var isAnonymous = true
    /// The region of this endpoint.
    package var region: String

    /// - Parameter domains: names under which buckets stand as the first label of the host (virtual-host style).
    /// - Throws: `InvalidURI`, `KeyTooLongError`.
    package init(_ head: RequestHead, domains: [String], region: String) throws(S3Error) {
        method = head.method
        fields = head.fields
        self.region = region
        guard let path = PercentCoding.decode(head.rawPath.utf8.span),
            let resource = String(validating: path, as: UTF8.self)
        else { throw S3Error(.invalidURI) }
        self.resource = resource
        query = try QueryItems(head.query)
        var rest = path.dropFirst()
        if let host = head.fields["host"], let name = Self.bucket(inHost: host, domains: domains) {
            (bucket, bucketOfHost) = (name, name)
        } else if !rest.isEmpty {
            let end = rest.firstIndex(of: UInt8(ascii: "/")) ?? rest.endIndex
            bucket = String(decoding: rest[..<end], as: UTF8.self)
            rest = rest[end...].dropFirst()
        }
        guard !rest.isEmpty else { return }
        guard rest.count <= ObjectKey.maximumLength else {
            throw S3Error(
                .keyTooLong,
                details: [
                    S3Error.Detail("Size", String(rest.count)),
                    S3Error.Detail("MaxSizeAllowed", String(ObjectKey.maximumLength)),
                ])
        }
        key = ObjectKey(Array(rest))
    }

    /// A request whose target does not decode: nothing is known of it but its fields.
    package init(undecodable head: RequestHead) {
        (method, fields, resource, region) = (head.method, head.fields, "/", "")
        query = QueryItems()
    }

    /// The bucket of a virtual-host-style request: what stands before a domain of ours in the host.
    package static func bucket(inHost host: String, domains: [String]) -> String? {
        guard !domains.isEmpty else { return nil }
        let name = Array(host.utf8.prefix { $0 != UInt8(ascii: ":") }).map { $0.lowercasedASCII }
        for domain in domains {
            let suffix = [UInt8(ascii: ".")] + domain.utf8.map { $0.lowercasedASCII }
            if name.count > suffix.count, name.suffix(suffix.count).elementsEqual(suffix) {
                return String(decoding: name.dropLast(suffix.count), as: UTF8.self)
            }
        }
        return nil
    }

    /// The bucket of an operation on a bucket or object. The router has seen to it that there is one.
    package func requiredBucket() throws(S3Error) -> String {
        guard let bucket else { throw S3Error(.invalidBucketName) }
        return bucket
    }

    package func requiredKey() throws(S3Error) -> ObjectKey {
        guard let key else { throw S3Error(.invalidURI, "The request names no key.") }
        return key
    }
}

extension UInt8 {
    fileprivate var lowercasedASCII: UInt8 {
        (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(self) ? self + 32 : self
    }
}
