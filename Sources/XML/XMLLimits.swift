/// How much of a document is read before it is refused.
///
/// The defaults hold every request of S3: the longest, a `CompleteMultipartUpload` of 10,000 parts with checksums,
/// has some 2 MiB and 60,000 elements.
package struct XMLLimits: Sendable, Hashable {
    /// The size of the document.
    package var bytes: Int
    /// Elements within elements, the root being at depth 1.
    package var depth: Int
    /// Elements in all.
    package var elements: Int
    /// Attributes and namespace declarations of one element.
    package var attributes: Int
    /// The length of a local name.
    package var nameBytes: Int
    /// The length of a start tag with all its attributes. It bounds the work of comparing attributes with one another.
    package var tagBytes: Int

    package init(
        bytes: Int = 4 << 20, depth: Int = 32, elements: Int = 150_000, attributes: Int = 16, nameBytes: Int = 128,
        tagBytes: Int = 8192
    ) {
        (self.bytes, self.depth, self.elements) = (bytes, depth, elements)
        (self.attributes, self.nameBytes, self.tagBytes) = (attributes, nameBytes, tagBytes)
    }
}
