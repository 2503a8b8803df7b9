package import Primitives

/// What must hold of an object for it to be deleted.
package struct DeletePreconditions: Sendable, Hashable {
    /// An entity tag without quotes, or `*`.
    package var etag: String?
    package var modified: Timestamp?
    package var size: Int64?

    package init(etag: String? = nil, modified: Timestamp? = nil, size: Int64? = nil) {
        (self.etag, self.modified, self.size) = (etag, modified, size)
    }

    /// Whether the outcome tells more than that there is an object.
    var tellsOfContent: Bool {
        modified != nil || size != nil || etag.map { !$0.utf8.elementsEqual("*".utf8) } ?? false
    }

    package var isEmpty: Bool { etag == nil && modified == nil && size == nil }
}
