import Configuration
import FoundationEssentials
import Primitives

/// Who may do what: the root key, and the access keys and policies of the configuration. A sealed copy stands in the
/// index, and thus on the stores, for the day on which the gateway's machine is lost.
struct KeptAccess: Sendable, Equatable {
    var root: RootKey
    var keys: [KeySpecification]
    /// The policies of `policies-directory` by name, as they are written.
    var policies: [String: [UInt8]]

    /// Bytes of the longest copy: what a row of the index may have, less what sealing adds.
    static let lengthLimit = 4_000_000

    init(_ configuration: TidegateConfiguration, root: RootKey, policies: [String: [UInt8]]) {
        (self.root, keys, self.policies) = (root, configuration.keys, policies)
    }

    // MARK: As bytes

    var encoded: [UInt8] {
        let rootKey: JSON = [
            "access-key": .string(root.accessKey), "secret-key": .string(root.secretKey.reveal()),
        ]
        let texts = policies.map { ($0.key, JSON.string(String(decoding: $0.value, as: UTF8.self))) }
        return JSON.object(
            JSONObject([("root", rootKey), ("keys", keysAsWritten), ("policies", .object(JSONObject(texts)))])
        ).canonical
    }

    /// The keys as `keys` of a configuration has them: JSON is YAML.
    private var keysAsWritten: JSON {
        .array(
            keys.map { key in
                let policies = key.policies.map { policy -> JSON in
                    switch policy {
                    case .named(let name): .string(name)
                    case .inline(let document): document
                    }
                }
                return [
                    "access-key": .string(key.accessKey), "secret": .string(key.secret.reveal()),
                    "user": .string(key.user), "account": .string(key.account), "policies": .array(policies),
                ]
            })
    }

    // MARK: Brought back

    /// Writes what `encoded` gave into a data directory: the root key to where a gateway finds it, where none is
    /// configured or there; the rest into files beside, which the configuration can take over. Nothing that is there is
    /// changed.
    ///
    /// - Returns: What was written, in sentences.
    static func restore(_ encoded: [UInt8], _ configuration: TidegateConfiguration) throws(StartError) -> [String] {
        let document: JSON
        do throws(JSONError) {
            document = try JSON.parse(encoded, limits: JSONLimits(bytes: lengthLimit))
        } catch {
            throw StartError("The kept access keys are malformed: \(error)")
        }
        var lines: [String] = []
        if configuration.root == nil, let access = document["root"]?["access-key"]?.stringValue,
            let secret = document["root"]?["secret-key"]?.stringValue
        {
            let key = RootKey(accessKey: access, secretKey: Secret(secret))
            let isNew = try StartError.translated("The root key") { () throws(PrivateFileError) in
                try RootCredentials.restore(key, in: configuration.data)
            }
            if isNew { lines.append("The root key is in place again; its access key is \(access).") }
        }
        return lines + (try restoreFiles(document, configuration))
    }

    private static func restoreFiles(
        _ document: JSON, _ configuration: TidegateConfiguration
    ) throws(StartError) -> [String] {
        let keys = document["keys"]?.arrayValue ?? []
        let policies = (document["policies"]?.objectValue?.members ?? []).filter { isFileName($0.name) }
        guard !keys.isEmpty || !policies.isEmpty else { return [] }
        let folder = "\(configuration.data)/recovered"
        do {
            try FileManager.default.createDirectory(
                atPath: "\(folder)/policies", withIntermediateDirectories: true,
                attributes: [.posixPermissions: 0o700])
        } catch {
            throw StartError("The directory \(folder) cannot be made.")
        }
        try write(JSON.object(JSONObject([("keys", .array(keys))])).canonical, to: "\(folder)/keys.yaml")
        for policy in policies {
            try write(Array((policy.value.stringValue ?? "").utf8), to: "\(folder)/policies/\(policy.name).json")
        }
        return [
            "\(Counted(keys.count, "access key")) and \(Counted(policies.count, "policy", "policies")) of the "
                + "configuration are in \(folder), for a configuration that is lost too."
        ]
    }

    private static func write(_ bytes: [UInt8], to path: String) throws(StartError) {
        try StartError.translated("What was kept") { () throws(PrivateFileError) in
            try PrivateFile.replace(path, String(decoding: bytes, as: UTF8.self) + "\n")
        }
    }

    /// Whether a policy's name names a file of its folder.
    private static func isFileName(_ name: String) -> Bool {
        !name.utf8.isEmpty && name.utf8.first != UInt8(ascii: ".") && name.utf8.count <= 200
            && name.utf8.allSatisfy { $0 > 0x20 && $0 != UInt8(ascii: "/") && $0 != 0x7F }
    }
}
