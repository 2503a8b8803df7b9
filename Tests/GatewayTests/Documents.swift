import Cryptography
import Primitives
import XML

/// A key of a DeleteObjects request.
struct DeleteItem: ExpressibleByStringLiteral, Sendable {
    var key: String
    var version: String?
    var etag: String?

    init(_ key: String, version: String? = nil, etag: String? = nil) {
        (self.key, self.version, self.etag) = (key, version, etag)
    }

    init(stringLiteral value: String) { self.init(value) }
}

/// The documents that requests carry.
enum Documents {
    static func delete(_ items: [DeleteItem], isQuiet: Bool = false) -> Content {
        document("Delete") { writer in
            if isQuiet { writer.element("Quiet", true) }
            for item in items {
                writer.element("Object") { writer in
                    writer.element("Key", item.key)
                    if let version = item.version { writer.element("VersionId", version) }
                    if let etag = item.etag { writer.element("ETag", etag) }
                }
            }
        }
    }

    static func complete(_ parts: [(Int, String?)]) -> Content {
        document("CompleteMultipartUpload") { writer in
            for (number, etag) in parts {
                writer.element("Part") { writer in
                    writer.element("PartNumber", number)
                    if let etag { writer.element("ETag", etag) }
                }
            }
        }
    }

    static func tagging(_ tags: [(String, String)]) -> Content {
        document("Tagging") { writer in
            writer.element("TagSet") { writer in
                for (key, value) in tags {
                    writer.element("Tag") { writer in
                        writer.element("Key", key)
                        writer.element("Value", value)
                    }
                }
            }
        }
    }

    static func versioning(_ status: String) -> Content {
        document("VersioningConfiguration") { $0.element("Status", status) }
    }

    /// What keeps the public out of a bucket: names with `true` or `false`, or whatever else a test writes there.
    static func publicAccessBlock(_ settings: [(String, String)]) -> Content {
        document("PublicAccessBlockConfiguration") { writer in
            for (name, value) in settings { writer.element(name, value) }
        }
    }

    /// A bucket policy of statements in JSON.
    static func policy(_ statements: String...) -> Content {
        Content(Array(#"{"Version":"2012-10-17","Statement":[\#(statements.joined(separator: ","))]}"#.utf8))
    }

    /// A statement of a bucket policy.
    static func statement(
        _ effect: String, _ action: String, on resource: String, for principal: String = #""*""#,
        when condition: String? = nil
    ) -> String {
        let condition = condition.map { #","Condition":\#($0)"# } ?? ""
        return #"{"Effect":"\#(effect)","Principal":\#(principal),"Action":"\#(action)","#
            + #""Resource":"arn:aws:s3:::\#(resource)"\#(condition)}"#
    }

    static func md5(_ content: Content) -> String { Base64.encode(Digest.hash(.md5, content.bytes)) }

    private static func document(_ name: String, _ content: (inout XMLWriter) -> Void) -> Content {
        var writer = XMLWriter()
        writer.root(name, content)
        return Content(writer.bytes)
    }
}

/// The path of an object, encoded as a client does.
func path(_ bucket: String, _ key: String) -> String {
    "/\(bucket)/" + PercentCoding.encode(key.utf8, keepingSlash: true)
}
