import Signing
import Synchronization

/// Signing keys that have verified a request, so that the next one does not derive them again.
final class SigningKeyCache: Sendable {
    /// Beyond this many, all are forgotten, which costs each key one derivation.
    private static let capacity = 4096

    private struct Name: Hashable {
        let id: String
        let scope: CredentialScope
    }

    private struct Entry {
        let secret: SecretKey
        let key: SigningKey
    }

    private let entries = Mutex<[Name: Entry]>([:])

    /// The key derived from this access key's present secret, if it is remembered.
    func key(for accessKey: AccessKey, _ scope: CredentialScope) -> SigningKey? {
        let entry = entries.withLock { $0[Name(id: accessKey.id, scope: scope)] }
        guard let entry, entry.secret == accessKey.secret else { return nil }
        return entry.key
    }

    func remember(_ key: SigningKey, for accessKey: AccessKey) {
        entries.withLock { entries in
            if entries.count >= Self.capacity { entries.removeAll(keepingCapacity: true) }
            entries[Name(id: accessKey.id, scope: key.scope)] = Entry(secret: accessKey.secret, key: key)
        }
    }
}
