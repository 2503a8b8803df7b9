/// Why a set of access keys is refused. It names keys by their public halves.
package enum IdentityError: Error, Equatable, CustomStringConvertible {
    /// An id that is too short or long, or has bytes that a signature cannot carry.
    case malformedID(String)
    /// A secret shorter than eight bytes.
    case shortSecret(String)
    /// Two keys with one id.
    case duplicate(String)
    /// A key with the id of the root key, which would be the root (CVE-2023-27589).
    case sameAsRoot(String)
    /// A root key that belongs to nobody who owns anything, or a user's key that says it is the root's.
    case wrongOwner(String)

    package var description: String {
        switch self {
        case .malformedID(let id):
            "The access key \(id) must have 3 to 128 printable ASCII characters, none of them a comma, semicolon or "
                + "equals sign."
        case .shortSecret(let id):
            "The secret of the access key \(id) must have at least \(StaticCredentialStore.leastSecretLength) bytes."
        case .duplicate(let id): "The access key \(id) is given twice."
        case .sameAsRoot(let id): "The access key \(id) is the root key's and cannot be a user's as well."
        case .wrongOwner(let id): "The access key \(id) must belong to the root if, and only if, it is the root key."
        }
    }
}
