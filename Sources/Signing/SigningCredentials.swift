/// Whose signature a signer makes.
package struct SigningCredentials: Sendable {
    package let accessKeyID: String
    package let secret: SecretKey
    package let sessionToken: String?

    package init(accessKeyID: String, secret: SecretKey, sessionToken: String? = nil) {
        (self.accessKeyID, self.secret, self.sessionToken) = (accessKeyID, secret, sessionToken)
    }
}
