import Primitives
package import S3Model

/// Reads the parameters of listings.
package enum ListingDecoding {
    static func bytes(_ request: WireRequest, _ name: String) -> [UInt8] {
        request.query[name].map { Array($0.utf8) } ?? []
    }

    static func limit(_ request: WireRequest, _ name: String) throws(S3Error) -> Int {
        try HeaderDecoding.number(request, name, in: 0...ServiceLimits.pageSize, fallback: ServiceLimits.pageSize)
    }

    static func encodesKeys(_ request: WireRequest) throws(S3Error) -> Bool {
        guard let type = request.query["encoding-type"], !type.isEmpty else { return false }
        guard type.lowercased().utf8.elementsEqual("url".utf8) else {
            throw S3Error(
                .invalidArgument, "Invalid Encoding Method specified in Request",
                details: [S3Error.Detail("ArgumentName", "encoding-type"), S3Error.Detail("ArgumentValue", type)])
        }
        return true
    }

    /// Begins every token, so that what a client makes up is not taken for one; another number would be another form.
    private static let tokenVersion: UInt8 = 1

    /// A continuation token: opaque to clients, the last key or prefix of the page to us.
    package static func token(_ key: [UInt8]) -> String { Base64.encodeURL([tokenVersion] + key) }

    /// What `token` was made of.
    /// - Throws: `InvalidArgument` for what is no token of ours.
    package static func key(ofToken token: String) throws(S3Error) -> [UInt8] {
        guard let bytes = Base64.decodeURL(token), bytes.first == tokenVersion,
            String(validating: bytes, as: UTF8.self) != nil
        else {
            throw S3Error(
                .invalidArgument, "The continuation token provided is incorrect",
                details: [S3Error.Detail("ArgumentName", "continuation-token")])
        }
        return Array(bytes.dropFirst())
    }
}
