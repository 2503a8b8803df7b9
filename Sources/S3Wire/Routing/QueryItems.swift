package import Primitives
package import S3Model

/// The query of a request whose names all differ and whose names and values are text.
package struct QueryItems: Sendable, Hashable {
    private let parameters: [QueryParameter]

    init() {
        parameters = []
    }

    /// - Parameter parameters: as they were decoded; nil where they do not decode.
    /// - Throws: `InvalidURI` for what does not decode or is not UTF-8, `InvalidArgument` for a name that comes twice:
    ///   a request of two minds about its version or upload must not be served with either.
    package init(_ parameters: [QueryParameter]?) throws(S3Error) {
        guard let parameters, parameters.allSatisfy({ $0.name.span.isUTF8 && $0.value.span.isUTF8 }) else {
            throw S3Error(.invalidURI)
        }
        if let twice = Self.repeated(parameters) {
            let name = String(decoding: twice, as: UTF8.self)
            throw S3Error(
                .invalidArgument, "The query names \(name) more than once.",
                details: [S3Error.Detail("ArgumentName", name)])
        }
        self.parameters = parameters
    }

    /// The names, in the order in which they came.
    package var names: some Collection<String> {
        parameters.lazy.map { String(decoding: $0.name, as: UTF8.self) }
    }

    package func contains(_ name: String) -> Bool {
        parameters.firstIndex(named: name) != nil
    }

    /// The value of a name: empty where it came without one, nil where it did not come.
    package subscript(name: String) -> String? {
        parameters.firstIndex(named: name).map { String(decoding: parameters[$0].value, as: UTF8.self) }
    }

    /// A name that comes twice, by its bytes: names that Unicode calls equivalent are two names.
    private static func repeated(_ parameters: [QueryParameter]) -> ArraySlice<UInt8>? {
        // A few are compared with one another, which is quicker than to hash them; many would take too long.
        if parameters.count <= 16 {
            for index in parameters.indices {
                let name = parameters[index].name
                if parameters.firstIndex(named: name.span, from: index + 1) != nil { return name }
            }
            return nil
        }
        var names: Set<ArraySlice<UInt8>> = []
        return parameters.first { !names.insert($0.name).inserted }?.name
    }
}
