/// An element of a document that was read.
///
/// Names compare by their bytes. An element holds either elements or text: a document that mixes them is refused, as
/// S3 has none.
package struct XMLElement: Sendable, Equatable {
    /// An attribute; declarations of namespaces are none.
    package struct Attribute: Sendable, Equatable {
        /// The local name.
        package let name: String
        package let namespace: String?
        package let value: String
    }

    /// The namespace of S3's own documents.
    package static let s3Namespace = "http://s3.amazonaws.com/doc/2006-03-01/"

    /// The local name.
    package let name: String
    package let namespace: String?
    package let attributes: [Attribute]
    /// The elements directly in this one, in order.
    package internal(set) var children: [XMLElement]
    /// The text exactly as it was, white space, CDATA and resolved references included, comments left out; empty
    /// where the element has children.
    package internal(set) var text: String

    /// Whether the element has this local name, in S3's namespace or in none.
    package func isNamed(_ name: String) -> Bool {
        guard self.name.utf8.elementsEqual(name.utf8) else { return false }
        guard let namespace else { return true }
        return namespace.utf8.elementsEqual(Self.s3Namespace.utf8)
    }

    /// The first child of this local name, in S3's namespace or in none.
    package func child(_ name: String) -> XMLElement? {
        children.first { $0.isNamed(name) }
    }

    /// All children of this local name, in S3's namespace or in none, in order.
    package func children(_ name: String) -> [XMLElement] {
        children.filter { $0.isNamed(name) }
    }

    /// The only child of this local name, or nil.
    ///
    /// - Throws: `XMLError` of kind `unexpected` where there are several, so that no two readers pick different ones.
    package func onlyChild(_ name: String) throws(XMLError) -> XMLElement? {
        let matches = children(name)
        guard matches.count <= 1 else {
            throw XMLError(.unexpected, "The element \(name) stands here more than once.")
        }
        return matches.first
    }

    /// The value of the attribute of this local name, whatever its namespace; nil without one.
    package func attribute(_ name: String) -> String? {
        attributes.first { $0.name.utf8.elementsEqual(name.utf8) }?.value
    }
}
