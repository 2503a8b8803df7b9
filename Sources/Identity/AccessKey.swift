package import Policy
package import Signing

/// A key that signs requests: whose it is, and what its bearer may do.
package struct AccessKey: Sendable {
    /// The public half: 3 to 128 bytes.
    package let id: String
    /// The secret half, which no description shows.
    package let secret: SecretKey
    package let principal: Principal
    /// What the user may do. A user without policies may do nothing that a bucket's policy does not allow.
    package let policies: [PolicyDocument]

    package init(id: String, secret: SecretKey, principal: Principal, policies: [PolicyDocument] = []) {
        (self.id, self.secret, self.principal, self.policies) = (id, secret, principal, policies)
    }

    /// The user's name; nil for the owner of an account.
    package var userName: String? { principal.userName }

    /// What is wrong with the key by itself, if anything.
    var problem: IdentityError? {
        let allowed = (3...128).contains(id.utf8.count) && id.utf8.allSatisfy { (0x21...0x7E).contains($0) }
        guard allowed, !id.utf8.contains(where: { ",;=".utf8.contains($0) }) else { return .malformedID(id) }
        guard secret.length >= StaticCredentialStore.leastSecretLength else { return .shortSecret(id) }
        return nil
    }
}
