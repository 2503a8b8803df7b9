import Metadata
import Primitives
import S3Model
import S3Wire

/// Looks at what the header fields of a request ask for and Tidegate does not do. It is looked at once the caller may
/// do the rest: policies are asked about these fields too, and a denial comes before everything else.
struct AskedHeaders {
    private let gateway: Gateway
    private let request: RequestContext

    init(_ gateway: Gateway, _ request: RequestContext) {
        (self.gateway, self.request) = (gateway, request)
    }

    /// - Throws: `AccessControlListNotSupported`, or `AccessDenied` for a public list where the bucket keeps those out;
    ///   `MalformedACLError`; `InvalidArgument` and `InvalidEncryptionAlgorithmError` for what S3 refuses;
    ///   `NotImplemented` for what it would do.
    func check(_ use: HeaderUse, document: [UInt8]) async throws(S3Error) {
        switch use {
        case .none: return
        case .read: break
        case .accessControl:
            try await refuse(AccessControlDecoding.requested(request.wire, document: document), use)
        case .write, .copy, .part, .completion, .bucketCreation:
            if let access = try AccessControlDecoding.requested(request.wire) { try await refuse(access, use) }
        }
        try EncryptionHeaders.check(request.wire.fields, use)
        try UnservedHeaders.refuse(request.wire.fields)
    }

    private func refuse(_ access: RequestedAccess, _ use: HeaderUse) async throws(S3Error) {
        guard access > .owner else { return }
        // A bucket that is there when another is created may be somebody else's, who is not asked for anything.
        if access == .everybody, use != .bucketCreation, let name = request.wire.bucket,
            try await gateway.buckets.bucket(name).publicAccess?.blockPublicAcls == true
        {
            throw S3Error(.accessDenied, "Public access control lists are blocked: the bucket has BlockPublicAcls set.")
        }
        throw S3Error(.accessControlListNotSupported)
    }
}
