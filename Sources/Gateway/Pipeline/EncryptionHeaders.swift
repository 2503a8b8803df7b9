import Cryptography
import Primitives
import S3Model

/// Holds the header fields of server-side encryption against S3's rules for them. What keeps the rules is not served
/// yet, and is refused afterwards.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/serv-side-encryption.html>
enum EncryptionHeaders {
    private static let method = "x-amz-server-side-encryption"
    private static let kmsKey = "x-amz-server-side-encryption-aws-kms-key-id"
    private static let customer = "x-amz-server-side-encryption-customer-"
    private static let sourcesCustomer = "x-amz-copy-source-server-side-encryption-customer-"
    private static let kmsMethods: Set<String> = ["aws:kms", "aws:kms:dsse"]

    /// - Throws: `InvalidArgument`, `InvalidEncryptionAlgorithmError`.
    static func check(_ fields: HeaderFields, _ use: HeaderUse) throws(S3Error) {
        guard fields.fields.contains(where: isOne) else { return }
        switch use {
        case .none, .accessControl, .bucketCreation: return
        case .write, .copy: try checkMethod(fields)
        case .read, .part, .completion:
            // How an object is encrypted is said once, when it is written or its upload is begun.
            for name in [method, kmsKey] where fields.contains(name) {
                throw invalid("\(name) header is not supported for this operation.", name, fields[name])
            }
        }
        try checkCustomerKey(fields, customer)
        try checkCustomerKey(fields, sourcesCustomer)
    }

    private static func isOne(_ field: HeaderFields.Field) -> Bool {
        field.name.utf8.starts(with: method.utf8) || field.name.utf8.starts(with: sourcesCustomer.utf8)
    }

    private static func checkMethod(_ fields: HeaderFields) throws(S3Error) {
        let value = fields[method]
        if let value {
            guard !fields.fields.contains(where: { $0.name.utf8.starts(with: customer.utf8) }) else {
                throw invalid(
                    "Server Side Encryption with Customer provided key is incompatible with the encryption method "
                        + "specified", method, value)
            }
            guard value.utf8.elementsEqual("AES256".utf8) || kmsMethods.contains(value) else {
                throw invalid("The encryption method specified is not supported", method, value)
            }
        }
        if let key = fields[kmsKey], !(value.map { kmsMethods.contains($0) } ?? false) {
            throw invalid(
                "Server Side Encryption with AWS KMS managed key requires HTTP header "
                    + "x-amz-server-side-encryption : aws:kms", kmsKey, key)
        }
    }

    /// A key of the client's comes with its algorithm and its MD5, or not at all. No error repeats any of it.
    private static func checkCustomerKey(_ fields: HeaderFields, _ prefix: String) throws(S3Error) {
        let (algorithm, key, md5) = (fields[prefix + "algorithm"], fields[prefix + "key"], fields[prefix + "key-md5"])
        guard algorithm != nil || key != nil || md5 != nil else { return }
        let general = "Requests specifying Server Side Encryption with Customer provided keys must provide "
        guard let algorithm else { throw invalid(general + "a valid encryption algorithm.", prefix + "algorithm") }
        guard let key else { throw invalid(general + "an appropriate secret key.", prefix + "key") }
        guard let md5 else {
            throw invalid(general + "the client calculated MD5 of the secret key.", prefix + "key-md5")
        }
        guard let secret = Base64.decode(key), secret.count == 32 else {
            throw invalid(
                "The secret key was invalid for the specified algorithm: it has to be the base 64 of 256 bits.",
                prefix + "key")
        }
        guard algorithm.utf8.elementsEqual("AES256".utf8) else {
            throw S3Error(
                .invalidEncryptionAlgorithm, details: [S3Error.Detail("ArgumentName", prefix + "algorithm")])
        }
        guard Base64.decode(md5) == Digest.hash(.md5, secret) else {
            throw invalid(
                "The calculated MD5 hash of the key did not match the hash that was provided.", prefix + "key-md5")
        }
    }

    private static func invalid(_ message: String, _ name: String, _ value: String? = nil) -> S3Error {
        S3Error(
            .invalidArgument, message,
            details: [S3Error.Detail("ArgumentName", name)]
                + (value.map { [S3Error.Detail("ArgumentValue", $0)] } ?? []))
    }
}
