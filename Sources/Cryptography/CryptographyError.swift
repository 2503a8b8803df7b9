/// Why a cryptographic operation gave no result. It carries no key, no plain text and no part of a tag.
package struct CryptographyError: Error, Equatable, CustomStringConvertible {
    package enum Kind: String, Sendable, CaseIterable {
        /// A key, nonce, tag, signature or length that the algorithm does not take.
        case invalidParameter
        /// The sealed bytes, their tag or the data authenticated with them are not what was sealed.
        case authenticationFailed
        /// The library has no such algorithm, or no memory for it.
        case unavailable
    }

    package let kind: Kind
    /// A sentence.
    package let description: String

    package init(_ kind: Kind, _ description: String) {
        (self.kind, self.description) = (kind, description)
    }
}
