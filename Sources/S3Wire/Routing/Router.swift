import Primitives
package import S3Model

/// Finds the one operation of S3 that a request names, served or not.
package enum Router {
    private struct Place: Hashable {
        let level: Route.Level
        let selectors: Set<String>
    }

    /// The operations that share level and selectors.
    private static let places = Dictionary(grouping: ServiceTable.operations) {
        Place(level: $0.level, selectors: $0.selectors)
    }

    /// The name of the operation.
    ///
    /// A request whose query names a sub-resource never falls through to the bare operation, whatever its method: one
    /// server took `DELETE /bucket?website` for DeleteBucket. Names that S3 does not have are ignored, as AWS does, and
    /// so is `x-id`, by which SDKs mark their requests: it never changes what is done.
    /// - Throws: `NotImplemented` for a sub-resource without such an operation, `MethodNotAllowed` for a method that
    ///   the bare resource does not have, `InvalidArgument` for a copy source or part number on what takes none.
    package static func operation(of request: WireRequest) throws(S3Error) -> String {
        let present = Set(request.query.names.filter(ServiceTable.selectors.contains))
        let level: Route.Level = request.bucket == nil ? .service : request.key == nil ? .bucket : .object
        let candidates = places[Place(level: level, selectors: present)] ?? []
        let matches = candidates.filter { $0.method.utf8.elementsEqual(request.method.utf8) }
        guard !matches.isEmpty else {
            guard present.isEmpty else {
                throw S3Error(
                    .notImplemented, "\(request.method) of this sub-resource is not implemented.",
                    details: [S3Error.Detail("ResourceType", present.sorted().joined(separator: ","))])
            }
            throw methodNotAllowed(request.method, level, candidates)
        }
        try checkCopySource(request, matches)
        try checkPartNumber(request, present, matches)
        let isCopy = request.fields.contains("x-amz-copy-source")
        // The route that asks for most of what is there.
        let fitting = matches.filter { $0.copies == isCopy && $0.parameters.allSatisfy(request.query.contains) }
        guard let route = fitting.max(by: { $0.parameters.count < $1.parameters.count }) else {
            throw S3Error(.notImplemented)
        }
        return route.operation
    }

    /// A copy source that would be ignored is a copy that was asked for and not made.
    private static func checkCopySource(_ request: WireRequest, _ matches: [Route]) throws(S3Error) {
        guard let source = request.fields["x-amz-copy-source"], !matches.contains(where: \.copies) else { return }
        throw S3Error(
            .invalidArgument, "You can only specify a copy source header for copy requests.",
            details: [
                S3Error.Detail("ArgumentName", "x-amz-copy-source"), S3Error.Detail("ArgumentValue", source),
            ])
    }

    /// A part whose upload is not named must not become an object of its own.
    private static func checkPartNumber(
        _ request: WireRequest, _ present: Set<String>, _ matches: [Route]
    ) throws(S3Error) {
        guard let number = request.query["partNumber"], present.isEmpty, matches.contains(where: \.copies) else {
            return
        }
        throw S3Error(
            .invalidArgument, "This operation does not accept partNumber without uploadId",
            details: [S3Error.Detail("ArgumentName", "partNumber"), S3Error.Detail("ArgumentValue", number)])
    }

    private static func methodNotAllowed(
        _ method: String, _ level: Route.Level, _ candidates: [Route]
    ) -> S3Error {
        let type =
            switch level {
            case .service: "SERVICE"
            case .bucket: "BUCKET"
            case .object: "OBJECT"
            }
        // RFC 9110 §15.5.6 wants the methods that are allowed to be named.
        let allowed = Set(candidates.map(\.method)).sorted().joined(separator: ", ")
        return S3Error(
            .methodNotAllowed,
            details: [S3Error.Detail("Method", method), S3Error.Detail("ResourceType", type)],
            headers: [S3Error.Detail("allow", allowed)])
    }
}
