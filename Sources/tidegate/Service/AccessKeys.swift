import Configuration
import FoundationEssentials
import Gateway
import Identity
import Policy
import Primitives
import Signing

/// Makes the access keys of the configuration, with their policies, into what requests are authenticated by.
struct AccessKeys {
    private let configuration: TidegateConfiguration

    init(_ configuration: TidegateConfiguration) {
        self.configuration = configuration
    }

    /// - Throws: A sentence, for a policy that is missing or malformed, or a key that cannot be one.
    func store(root: RootKey) throws(StartError) -> StaticCredentialStore {
        let account = configuration.accountID
        let owner = AccessKey(
            id: root.accessKey, secret: SecretKey(root.secretKey.reveal()),
            principal: .root(account: account, canonicalUserID: CanonicalUser.id(ofAccount: account)))
        var users: [AccessKey] = []
        for key in configuration.keys {
            var policies: [PolicyDocument] = []
            for policy in key.policies { policies.append(try document(policy, of: key)) }
            users.append(
                AccessKey(
                    id: key.accessKey, secret: SecretKey(key.secret.reveal()),
                    principal: .user(
                        key.user, account: key.account, canonicalUserID: CanonicalUser.id(ofAccount: key.account)),
                    policies: policies))
        }
        return try StartError.translated("The access keys") { () throws(IdentityError) in
            try StaticCredentialStore(root: owner, users: users)
        }
    }

    /// The names by which answers call owners: of an account beside the deployment's own, that of its first user.
    var accountNames: [String: String] {
        var names: [String: String] = [:]
        for key in configuration.keys where key.account != configuration.accountID && names[key.account] == nil {
            names[key.account] = key.user
        }
        return names
    }

    /// Checks every policy of the directory, named by a key or not: one that is broken is found at the start and not
    /// when a key is given it.
    ///
    /// - Returns: The policies by name, as they are written.
    func readyPolicies() throws(StartError) -> [String: [UInt8]] {
        guard let directory = configuration.policiesDirectory else { return [:] }
        let names: [String]
        do {
            names = try FileManager.default.contentsOfDirectory(atPath: directory)
        } catch {
            throw StartError("policies-directory: \(directory) cannot be read.")
        }
        var policies: [String: [UInt8]] = [:]
        for name in names where name.utf8.suffix(5).elementsEqual(".json".utf8) {
            let policy = String(decoding: name.utf8.dropLast(5), as: UTF8.self)
            let text = try file(policy)
            _ = try Self.parse(text, "\(directory)/\(policy).json")
            policies[policy] = text
        }
        return policies
    }

    private func document(
        _ policy: KeySpecification.Policy, of key: KeySpecification
    ) throws(StartError) -> PolicyDocument {
        switch policy {
        case .inline(let json):
            return try Self.parse(json.canonical, "\(key.origin): the policy of the access key \(key.accessKey)")
        case .named(let name):
            do throws(StartError) {
                return try Self.parse(try file(name), "the policy \(name)")
            } catch {
                throw StartError("\(key.origin): the access key \(key.accessKey): \(error)")
            }
        }
    }

    private func file(_ name: String) throws(StartError) -> [UInt8] {
        let directory = configuration.policiesDirectory ?? ""
        let isPlain =
            !name.utf8.isEmpty && !name.utf8.contains(UInt8(ascii: "/")) && name.utf8.first != UInt8(ascii: ".")
        guard isPlain else { throw StartError("`\(name)` is no name of a policy.") }
        guard let data = FileManager.default.contents(atPath: "\(directory)/\(name).json") else {
            throw StartError("there is no policy `\(name)`: \(directory)/\(name).json cannot be read.")
        }
        return Array(data)
    }

    private static func parse(_ bytes: [UInt8], _ what: String) throws(StartError) -> PolicyDocument {
        do throws(PolicyError) {
            return try PolicyDocument.parse(bytes, kind: .identity)
        } catch {
            throw StartError("\(what): \(error)")
        }
    }
}
