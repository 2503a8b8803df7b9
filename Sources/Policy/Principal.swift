/// Who asks, as policies name them.
package struct Principal: Sendable, Hashable {
    package enum Kind: String, Sendable, Hashable {
        case anonymous = "Anonymous"
        case user = "User"
        /// The owner of an account.
        case root = "Account"
    }

    package let kind: Kind
    /// The account; `anonymous` where there is none.
    package let accountID: String
    /// The user's name; nil for anybody but a user.
    package let userName: String?
    /// `arn:aws:iam::ACCOUNT:user/NAME`, `arn:aws:iam::ACCOUNT:root`, or empty.
    package let arn: String
    /// The canonical id of the account, by which ACLs and policies may name it.
    package let canonicalUserID: String?
    /// Whether what is asked for belongs to the account that asks.
    private(set) var isInOwnAccount = true

    /// Whoever does not say who they are.
    package static let anonymous = Principal(
        kind: .anonymous, accountID: "anonymous", userName: nil, arn: "", canonicalUserID: nil)

    /// A user of an account.
    package static func user(_ name: String, account: String, canonicalUserID: String? = nil) -> Principal {
        Principal(
            kind: .user, accountID: account, userName: name, arn: "arn:aws:iam::\(account):user/\(name)",
            canonicalUserID: canonicalUserID)
    }

    /// The owner of an account, who may do everything in it that no policy denies.
    package static func root(account: String, canonicalUserID: String? = nil) -> Principal {
        Principal(
            kind: .root, accountID: account, userName: nil, arn: "arn:aws:iam::\(account):root",
            canonicalUserID: canonicalUserID)
    }

    /// The same, asking for what belongs to another account: owning the own account means nothing there, and a policy
    /// that names the whole account means its users too.
    package var withoutOwnership: Principal {
        var copy = self
        copy.isInOwnAccount = false
        return copy
    }

    /// Whether ownership alone allows.
    var isOwner: Bool { kind == .root && isInOwnAccount }

    private init(kind: Kind, accountID: String, userName: String?, arn: String, canonicalUserID: String?) {
        (self.kind, self.accountID, self.userName) = (kind, accountID, userName)
        (self.arn, self.canonicalUserID) = (arn, canonicalUserID)
    }
}
