import Primitives
package import S3Model

/// Finds the one operation of S3 that a request names, served or not.
package enum Router {
    /// The name of the operation.
    ///
    /// A request whose query names a sub-resource never falls through to the bare operation, and one that says by
    /// `x-id` which operation it means is never taken for another.
    /// - Throws: `MethodNotAllowed`, `NotImplemented` or `InvalidArgument`.
    package static func operation(of request: WireRequest) throws(S3Error) -> String {
        let present = Set(request.query.items.map(\.name)).intersection(ServiceTable.selectors)
        let level: Route.Level = request.bucket == nil ? .service : request.key == nil ? .bucket : .object
        let candidates = ServiceTable.operations.filter { $0.level == level && $0.selectors == present }
        let matches = candidates.filter { $0.method.utf8.elementsEqual(request.method.utf8) }
        guard let first = matches.first else {
            guard candidates.isEmpty, !present.isEmpty else {
                throw S3Error(
                    .methodNotAllowed,
                    details: [
                        S3Error.Detail("Method", request.method),
                        S3Error.Detail("ResourceType", resourceType(present, level)),
                    ])
            }
            throw S3Error(.notImplemented, "This combination of sub-resources is not implemented.")
        }
        let name = matches.count == 1 ? first.operation : try distinguished(matches, request)
        try checkIdentifier(request.query["x-id"], name)
        return name
    }

    /// Operations that share a route differ by headers or further names in the query.
    private static func distinguished(_ matches: [Route], _ request: WireRequest) throws(S3Error) -> String {
        let isCopy = request.fields.contains("x-amz-copy-source")
        let names = Set(matches.map(\.operation))
        if names.contains("PutObject") { return isCopy ? "CopyObject" : "PutObject" }
        if names.contains("UploadPart") { return isCopy ? "UploadPartCopy" : "UploadPart" }
        return matches[0].operation
    }

    private static func checkIdentifier(_ identifier: String?, _ name: String) throws(S3Error) {
        guard let identifier, !identifier.isEmpty, !identifier.utf8.elementsEqual(name.utf8) else { return }
        throw S3Error(
            .notImplemented, "The request is marked as \(identifier) by x-id, but it has the form of \(name).")
    }

    private static func resourceType(_ selectors: Set<String>, _ level: Route.Level) -> String {
        if let selector = selectors.sorted().first { return selector.uppercased() }
        switch level {
        case .service: return "SERVICE"
        case .bucket: return "BUCKET"
        case .object: return "OBJECT"
        }
    }
}
