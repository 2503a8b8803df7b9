import Cryptography
import Signing

extension PayloadMode {
    /// Of a request without a body.
    static let empty = PayloadMode.sha256(Digest.hash(.sha256, []))
}
