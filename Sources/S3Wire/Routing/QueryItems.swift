import Primitives
package import S3Model

/// The query of a request, decoded once.
package struct QueryItems: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var name: String
        /// Nil where the name came without an equals sign.
        package var value: String?
    }

    package private(set) var items: [Item] = []

    init() {}

    /// - Throws: `InvalidURI` for what does not decode, `InvalidArgument` for a name that comes twice: a request of two
    ///   minds about its version or upload must not be served with either.
    package init(_ raw: Substring) throws(S3Error) {
        for part in raw.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "="))
            guard let name = Self.text(part[..<(equals ?? part.endIndex)]) else { throw S3Error(.invalidURI) }
            var value: String?
            if let equals {
                guard let text = Self.text(part[part.index(after: equals)...]) else { throw S3Error(.invalidURI) }
                value = text
            }
            if contains(name) {
                throw S3Error(
                    .invalidArgument, "The query names \(name) more than once.",
                    details: [S3Error.Detail("ArgumentName", name)])
            }
            items.append(Item(name: name, value: value))
        }
    }

    private static func text(_ raw: Substring.UTF8View) -> String? {
        PercentCoding.decode(raw, plusIsSpace: true).flatMap { String(validating: $0, as: UTF8.self) }
    }

    package func contains(_ name: String) -> Bool {
        items.contains { $0.name.utf8.elementsEqual(name.utf8) }
    }

    /// The value of a name: empty where it came without one, nil where it did not come.
    package subscript(name: String) -> String? {
        items.first { $0.name.utf8.elementsEqual(name.utf8) }.map { $0.value ?? "" }
    }
}
