package import Primitives
package import S3Model

/// Header fields that ask for what Tidegate does not do yet. To ignore one would be to store an object otherwise than
/// was asked.
package enum UnservedHeaders {
    package static let names = [
        "x-amz-object-lock-mode", "x-amz-object-lock-retain-until-date", "x-amz-object-lock-legal-hold",
        "x-amz-write-offset-bytes", "x-amz-server-side-encryption", "x-amz-server-side-encryption-aws-kms-key-id",
        "x-amz-server-side-encryption-context", "x-amz-server-side-encryption-bucket-key-enabled",
        "x-amz-server-side-encryption-customer-algorithm", "x-amz-server-side-encryption-customer-key",
        "x-amz-server-side-encryption-customer-key-md5", "x-amz-copy-source-server-side-encryption-customer-algorithm",
        "x-amz-copy-source-server-side-encryption-customer-key",
        "x-amz-copy-source-server-side-encryption-customer-key-md5", "x-amz-mfa",
    ]

    /// - Throws: `NotImplemented`.
    package static func refuse(_ fields: HeaderFields) throws(S3Error) {
        for name in names where fields.contains(name) {
            throw S3Error(
                .notImplemented, "The header \(name) asks for what this server does not do.",
                details: [S3Error.Detail("Header", name)])
        }
    }
}
