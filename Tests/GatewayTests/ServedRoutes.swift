import S3Wire

/// The service table, as requests against a bucket `bucket` with an object `key`.
enum ServedRoutes {
    struct Entry: Sendable {
        var operation: String
        var method: String
        var selectors: Set<String>
        /// Paths that the route is for.
        var bases: [String]
    }

    static let all: [Entry] = ServiceTable.operations.map { route in
        let bases =
            switch route.level {
            case .service: ["/"]
            case .bucket: ["/bucket", "/empty", "/none"]
            case .object: ["/bucket/key", "/bucket/none"]
            }
        return Entry(operation: route.operation, method: route.method, selectors: route.selectors, bases: bases)
    }

    static let selectors = ServiceTable.selectors.sorted()
}
