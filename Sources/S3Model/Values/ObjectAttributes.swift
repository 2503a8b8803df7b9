/// What an object carries beside its bytes, as a writer gives it.
package struct ObjectAttributes: Sendable, Hashable {
    /// `content-type`, `cache-control`, `content-disposition`, `content-encoding`, `content-language`, `expires`,
    /// `x-amz-website-redirect-location`, by lower-case name.
    package var headers: [String: String]
    /// User metadata, by lower-case name without `x-amz-meta-`; at most 2 KiB together.
    package var metadata: [String: String]
    package var storageClass: String?
    package var tags: [Tag]

    package init(
        headers: [String: String] = [:], metadata: [String: String] = [:], storageClass: String? = nil, tags: [Tag] = []
    ) {
        (self.headers, self.metadata, self.storageClass, self.tags) = (headers, metadata, storageClass, tags)
    }
}

/// A tag of an object or a bucket: a key of up to 128 characters, a value of up to 256.
package struct Tag: Sendable, Hashable {
    package var key: String
    package var value: String

    package init(key: String, value: String) {
        (self.key, self.value) = (key, value)
    }
}

/// A checksum of an object or part, and how it was made.
package struct Checksum: Sendable, Hashable {
    /// As S3 spells it: `CRC32`, `SHA256`, …
    package var algorithm: String
    /// Base 64; of a composite one, followed by `-` and the number of parts.
    package var value: String
    package var isComposite: Bool

    package init(algorithm: String, value: String, isComposite: Bool) {
        (self.algorithm, self.value, self.isComposite) = (algorithm, value, isComposite)
    }
}

/// What a client says about the checksum of the bytes that it sends.
package struct ChecksumRequest: Sendable, Hashable {
    /// The algorithm, as S3 spells it, from `x-amz-sdk-checksum-algorithm`, `x-amz-trailer` or a value's header.
    package var algorithm: String?
    /// The value, decoded, where it is in a header.
    package var value: [UInt8]?
    /// Whether the value comes in the trailer.
    package var isInTrailer = false
    /// The decoded `Content-MD5`.
    package var contentMD5: [UInt8]?
    /// `x-amz-checksum-type`: true for COMPOSITE, false for FULL_OBJECT, nil where not given.
    package var isComposite: Bool?

    package init() {}
}
