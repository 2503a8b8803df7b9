package import Primitives

/// An access key that the configuration file declares.
package struct KeySpecification: Sendable, Hashable {
    /// Where a policy of the key is.
    package enum Policy: Sendable, Hashable {
        /// A file of `policies-directory`, without `.json`.
        case named(String)
        /// Written out in the configuration.
        case inline(JSON)
    }

    package var accessKey: String
    package var secret: Secret
    /// The user whom the key belongs to; several keys may have one user.
    package var user: String
    /// The account of the user, which owns the buckets that the user makes; 12 digits.
    package var account: String
    package var policies: [Policy]
    /// Where it is declared, for messages about its policies.
    package var origin: ConfigurationOrigin

    package init(
        accessKey: String, secret: Secret, user: String, account: String, policies: [Policy],
        origin: ConfigurationOrigin = .builtIn
    ) {
        (self.accessKey, self.secret, self.user, self.account) = (accessKey, secret, user, account)
        (self.policies, self.origin) = (policies, origin)
    }
}
