/// Why a document was refused.
package struct XMLError: Error, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// It is not well-formed XML with namespaces, not UTF-8, or ends early.
        case malformed
        /// It holds what is never accepted: a document type declaration, an entity, a processing instruction, another
        /// encoding or version.
        case forbidden
        /// It exceeds one of `XMLLimits`.
        case limitExceeded
        /// It is well-formed but has another shape than is wanted: text between elements, an element twice.
        case unexpected
        /// The parser had no memory for it.
        case unavailable
    }

    package let kind: Kind
    /// A sentence, without anything taken from the document.
    package let message: String
    /// From 1 on; nil where the fault has no one place.
    package let line: Int?
    /// In bytes, from 1 on; nil where the fault has no one place.
    package let column: Int?

    package init(_ kind: Kind, _ message: String, line: Int? = nil, column: Int? = nil) {
        (self.kind, self.message, self.line, self.column) = (kind, message, line, column)
    }

    package var description: String {
        guard let line else { return message }
        guard let column else { return "\(message) (line \(line))" }
        return "\(message) (line \(line), column \(column))"
    }
}
