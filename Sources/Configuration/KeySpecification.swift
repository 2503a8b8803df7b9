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
    package var policies: [Policy]
    /// Where it is declared, for messages about its policies.
    package var origin: ConfigurationOrigin

    package init(
        accessKey: String, secret: Secret, user: String, policies: [Policy], origin: ConfigurationOrigin = .builtIn
    ) {
        (self.accessKey, self.secret, self.user) = (accessKey, secret, user)
        (self.policies, self.origin) = (policies, origin)
    }
}
