package import Metadata
package import Primitives

/// An object of another service as it is to be shown.
package struct AdoptedObject: Sendable {
    package var key: ObjectKey
    package var size: Int64
    /// Without quotes.
    package var etag: String
    /// Whether the ETag is the MD5 of the bytes, as far as the service tells.
    package var isMD5: Bool
    package var modified: Timestamp
    package var headers: [String: String]
    package var metadata: [String: String]
    package var tags: [ObjectTag]

    package init(
        key: ObjectKey, size: Int64, etag: String, isMD5: Bool, modified: Timestamp, headers: [String: String],
        metadata: [String: String], tags: [ObjectTag]
    ) {
        (self.key, self.size, self.etag, self.isMD5, self.modified) = (key, size, etag, isMD5, modified)
        (self.headers, self.metadata, self.tags) = (headers, metadata, tags)
    }
}
