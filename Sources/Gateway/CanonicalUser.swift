import Cryptography
import Primitives

/// The 64 hexadecimal digits by which S3 names an account in owners and grants.
package enum CanonicalUser {
    /// The same account has the same id always; the account's number cannot be read from it without trying all.
    package static func id(ofAccount account: String) -> String {
        Hex.encode(Digest.hash(.sha256, Array("tidegate-canonical-user:\(account)".utf8)))
    }
}
