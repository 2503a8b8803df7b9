import Configuration
import FoundationEssentials
import Metadata
import Primitives
import RemoteStore

/// What kind of service a backend is said to be.
enum BackendProfile: String, Sendable, CaseIterable {
    case minio
    case cephRGW = "ceph-rgw"
    case truenas
    case s3

    /// What an operator of such a service does about an ability that it was refused for; nil where there is nothing to
    /// say beside the finding.
    func advice(on ability: Ability) -> String? {
        switch (self, ability) {
        case (.minio, .versioning), (.truenas, .versioning):
            "`mc version suspend ALIAS/BUCKET` ends it; `mc rm --recursive --versions --force` removes the versions."
        case (.cephRGW, .versioning), (.s3, .versioning): "Make a bucket of its own for shards, without versioning."
        case (_, .objectLock): "Object Lock cannot be taken from a bucket: make another one, without it."
        case (.cephRGW, .clock), (.minio, .clock), (.truenas, .clock):
            "Have chrony or ntpd set the clocks of its hosts."
        default: nil
        }
    }
}

/// What an operator declares of a backend that is to be attached: the body of the request, and the options of the
/// command.
struct BackendDeclaration: Codable, Sendable {
    var name: String
    var url: String
    var bucket: String
    var prefix: String?
    var signingRegion: String?
    var addressing: String?
    var profile: String?
    var durability: String?
    var acceptBuffered: Bool?
    /// Certificates in PEM, beside which no authority of the system is trusted.
    var authorities: String?
    /// SHA-256 digests of public keys, in Base64.
    var pinnedKeys: [String]?
    var region: String?
    var zone: String?
    var provider: String?
    var hosts: [String]?
    /// How much it is to hold, beside the other stores; nil for as much as one of which nothing is said.
    var weight: Int?
    /// How many bytes it can hold; nil where nobody knows.
    var capacity: Int64?
    /// Hosts and other failure domains of the Ceph cluster that it is.
    var crush: CrushDeclaration?
    /// Whether the bucket's objects are to be shown as they are, in place of its being a store.
    var adopted: Bool?
    /// The bucket of ours in which they are shown; nil for one of the same name.
    var adoptedAs: String?
    var credentials: Credentials

    struct Credentials: Codable, Sendable {
        var accessKey: String
        var secretKey: String
        var sessionToken: String?
    }

    private static let mostHosts = 1024

    /// The record, as far as it can be known before the backend was asked. The credentials are not in it yet.
    ///
    /// - Throws: `invalid`, a sentence for the operator.
    func record() throws(BackendError) -> BackendRecord {
        guard Self.isName(name) else {
            throw .invalid("A backend's name has 1 to 63 lower-case letters, digits and hyphens, a letter first.")
        }
        let profile = profile ?? BackendProfile.s3.rawValue
        guard BackendProfile(rawValue: profile) != nil else {
            throw .invalid("A profile is one of \(Self.list(BackendProfile.allCases.map(\.rawValue))).")
        }
        let addressing = addressing ?? RemoteEndpoint.Addressing.path.rawValue
        guard RemoteEndpoint.Addressing(rawValue: addressing) != nil else {
            throw .invalid("Addressing is `path` or `virtual-host`.")
        }
        guard let isBuffered = ["durable": false, "buffered": true][durability ?? "durable"] else {
            throw .invalid("Durability is `durable` or `buffered`.")
        }
        let record = BackendRecord(
            name: name, url: url, bucket: bucket, prefix: prefix ?? "", signingRegion: signingRegion ?? "us-east-1",
            addressing: addressing, profile: profile, isBuffered: isBuffered, authorities: try checkedAuthorities(),
            pinnedKeys: try keys(), domain: try domain(), credentials: [], probed: Timestamp(nanoseconds: 0))
        do throws(RemoteSettingError) {
            _ = try RemoteEndpoint(record)
        } catch {
            throw .invalid("\(error)")
        }
        return record
    }

    /// The credentials, checked.
    func checkedCredentials() throws(BackendError) -> BackendCredentials {
        let credentials = BackendCredentials(credentials)
        guard credentials.arePlain else {
            throw .invalid("Access key, secret key and session token are of visible ASCII characters.")
        }
        return credentials
    }

    private func keys() throws(BackendError) -> [[UInt8]] {
        var keys: [[UInt8]] = []
        for text in pinnedKeys ?? [] {
            guard let key = Base64.decode(text), key.count == 32 else {
                throw .invalid("A pinned key is the SHA-256 of a public key: 32 bytes in Base64.")
            }
            keys.append(key)
        }
        return keys
    }

    private func checkedAuthorities() throws(BackendError) -> String? {
        guard let authorities else { return nil }
        guard authorities.utf8.count <= 256 << 10, authorities.contains("-----BEGIN CERTIFICATE-----") else {
            throw .invalid("The authorities are certificates in PEM, of at most 256 KiB.")
        }
        return authorities
    }

    private func domain() throws(BackendError) -> FailureDomain {
        let hosts = (hosts ?? []) + (try crush?.domains() ?? [])
        guard hosts.count <= Self.mostHosts,
            (hosts + [region ?? "", zone ?? "", provider ?? ""]).allSatisfy(Self.isLabel)
        else {
            throw .invalid(
                "Region, zone, provider and hosts are labels of at most 255 visible ASCII characters, and a backend "
                    + "has at most \(Self.mostHosts) hosts, those of a CRUSH map included.")
        }
        return FailureDomain(
            region: region ?? "", zone: zone ?? "", provider: provider ?? "", hosts: hosts.filter { !$0.isEmpty })
    }

    private static func isLabel(_ text: String) -> Bool {
        text.utf8.count <= 255 && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    static func isName(_ text: String) -> Bool {
        (1...63).contains(text.utf8.count) && (0x61...0x7A).contains(text.utf8.first ?? 0)
            && text.utf8.allSatisfy {
                (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == UInt8(ascii: "-")
            }
    }

    private static func list(_ names: [String]) -> String { names.map { "`\($0)`" }.joined(separator: ", ") }
}

/// Why something was not done about a backend.
struct BackendError: Error, Sendable, CustomStringConvertible {
    enum Kind: Sendable {
        /// What was asked for cannot be right.
        case invalid
        /// There is no such backend.
        case unknown
        /// It does not fit what is there already, or another change is under way.
        case conflict
        /// The backend cannot keep what is promised.
        case refused
        /// It may be possible later.
        case unavailable
    }

    let kind: Kind
    /// A sentence for the operator.
    let description: String

    init(_ kind: Kind, _ description: String) {
        (self.kind, self.description) = (kind, description)
    }

    static func invalid(_ description: String) -> BackendError { BackendError(.invalid, description) }
}
