import Policy

/// Where access keys are found.
package protocol CredentialStore: Sendable {
    /// The key of this id, or nil. Ids are compared by bytes. It answers from memory: it is asked once for each
    /// request.
    func accessKey(_ id: String) -> AccessKey?
}

/// Keys that are known at the start and do not change. There is always a root key, so that no set of keys makes an open
/// server.
package struct StaticCredentialStore: CredentialStore {
    /// In bytes.
    package static let leastSecretLength = 8

    private let keys: [String: AccessKey]

    /// - Parameters:
    ///   - root: the key of the owner.
    ///   - users: every other key.
    /// - Throws: `IdentityError` for two keys with one id, a user's key with the root's id, a short secret, an id that
    ///   signatures cannot carry, and keys whose owner is of the wrong kind.
    package init(root: AccessKey, users: [AccessKey]) throws(IdentityError) {
        guard root.principal.kind == .root else { throw .wrongOwner(root.id) }
        if let problem = root.problem { throw problem }
        var keys = [root.id: root]
        for key in users {
            if let problem = key.problem { throw problem }
            guard key.id != root.id else { throw .sameAsRoot(key.id) }
            guard key.principal.kind == .user else { throw .wrongOwner(key.id) }
            guard keys.updateValue(key, forKey: key.id) == nil else { throw .duplicate(key.id) }
        }
        self.keys = keys
    }

    package func accessKey(_ id: String) -> AccessKey? { keys[id] }
}
