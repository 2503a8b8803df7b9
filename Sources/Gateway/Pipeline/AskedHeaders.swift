import Primitives
import S3Model
import S3Wire

/// Looks at what the header fields of a request ask for and Tidegate does not do. It is looked at once the caller may
/// do the rest: policies are asked about these fields too, and a denial comes before everything else.
struct AskedHeaders {
    private let request: RequestContext

    init(_ request: RequestContext) {
        self.request = request
    }

    /// - Throws: `AccessControlListNotSupported`, `MalformedACLError`; `InvalidArgument` and
    ///   `InvalidEncryptionAlgorithmError` for what S3 refuses; `NotImplemented` for what it would do.
    func check(_ use: HeaderUse, document: [UInt8]) throws(S3Error) {
        switch use {
        case .none: return
        case .read: break
        case .accessControl:
            try Self.refuse(AccessControlDecoding.requested(request.wire, document: document))
        case .write, .copy, .part, .completion, .bucketCreation:
            if let access = try AccessControlDecoding.requested(request.wire) { try Self.refuse(access) }
        }
        try EncryptionHeaders.check(request.wire.fields, use)
        try UnservedHeaders.refuse(request.wire.fields)
    }

    private static func refuse(_ access: RequestedAccess) throws(S3Error) {
        guard access == .owner else { throw S3Error(.accessControlListNotSupported) }
    }
}
