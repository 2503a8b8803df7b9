import S3Model
import S3Wire
import Signing

/// Holds what a request asks for against what its signature covers.
enum QueryCoverage {
    /// Names that choose an operation and that S3 does not sign by version 2: they only say how a listing is written.
    private static let unsigned: Set<String> = ["list-type"]

    /// Refuses a sub-resource that a signature of version 2 does not cover. Somebody with a presigned URL could have
    /// added it, to make another operation of the signer's. Version 4 covers the whole query.
    ///
    /// - Throws: `AccessDenied`.
    static func check(_ query: QueryItems, signedBy caller: Caller) throws(S3Error) {
        guard caller.signatureVersion == .version2 else { return }
        for name in query.names where ServiceTable.selectors.contains(name) {
            guard SignatureV2Request.signsParameter(name) || unsigned.contains(name) else {
                throw S3Error(
                    .accessDenied,
                    "Signature version 2 does not cover \(name). Please use AWS4-HMAC-SHA256.")
            }
        }
    }
}
