import Primitives
package import S3Model

/// The query of a request, decoded once.
package struct QueryItems: Sendable, Hashable {
    package struct Item: Sendable, Hashable {
        package var name: String
        /// Nil where the name came without an equals sign.
        package var value: String?

        fileprivate func isNamed(_ text: String) -> Bool {
            name.utf8.count == text.utf8.count && name.utf8.elementsEqual(text.utf8)
        }
    }

    package private(set) var items: [Item] = []

    init() {}

    /// - Throws: `InvalidURI` for what does not decode, `InvalidArgument` for a name that comes twice: a request of two
    ///   minds about its version or upload must not be served with either.
    package init(_ raw: Substring) throws(S3Error) {
        guard let parameters = QueryParameter.parse(raw) else { throw S3Error(.invalidURI) }
        // By their bytes, since names that Unicode calls equivalent are two names.
        var names: Set<ArraySlice<UInt8>> = []
        items.reserveCapacity(parameters.count)
        for parameter in parameters {
            guard let name = String(validating: parameter.name, as: UTF8.self),
                let value = String(validating: parameter.value, as: UTF8.self)
            else { throw S3Error(.invalidURI) }
            guard names.insert(parameter.name).inserted else {
                throw S3Error(
                    .invalidArgument, "The query names \(name) more than once.",
                    details: [S3Error.Detail("ArgumentName", name)])
            }
            items.append(Item(name: name, value: parameter.hasEqualsSign ? value : nil))
        }
    }

    package func contains(_ name: String) -> Bool {
        items.contains { $0.isNamed(name) }
    }

    /// The value of a name: empty where it came without one, nil where it did not come.
    package subscript(name: String) -> String? {
        items.first { $0.isNamed(name) }.map { $0.value ?? "" }
    }
}
