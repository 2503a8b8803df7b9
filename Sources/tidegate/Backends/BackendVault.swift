import Configuration
import Cryptography
import Metadata
import Primitives
import RemoteStore
import Signing
import Storage

/// Seals the credentials of backends, and makes stores of the records that hold them.
///
/// What is sealed is bound to the place that it is for: whoever can write the index cannot have the credentials sent
/// elsewhere.
struct BackendVault: Sendable {
    private let key: SealingKey
    private let environment: any Environment

    init(_ key: SealingKey, environment: any Environment) {
        (self.key, self.environment) = (key, environment)
    }

    /// Puts credentials into a record, sealed.
    func seal(_ credentials: BackendCredentials, into record: inout BackendRecord) throws(StartError) {
        var writer = RecordWriter()
        writer.text(1, credentials.accessKey)
        writer.text(2, credentials.secret.reveal())
        writer.text(3, credentials.sessionToken?.reveal())
        let nonce = environment.randomBytes(AES256GCM.nonceLength)
        do throws(CryptographyError) {
            record.credentials =
                nonce
                + (try AES256GCM.seal(
                    writer.bytes, key: key.bytes, nonce: nonce, authenticating: Self.binding(record)))
        } catch {
            throw StartError("The credentials could not be sealed: \(error)")
        }
    }

    /// The credentials of a record.
    ///
    /// - Throws: `unavailable` where the key is not the one that sealed them, or the record is another one's.
    func credentials(of record: BackendRecord) throws(StorageError) -> BackendCredentials {
        let nonce = Array(record.credentials.prefix(AES256GCM.nonceLength))
        let opened: [UInt8]
        do throws(CryptographyError) {
            opened = try AES256GCM.open(
                Array(record.credentials.dropFirst(nonce.count)), key: key.bytes, nonce: nonce,
                authenticating: Self.binding(record))
        } catch {
            throw .unavailable("its credentials cannot be opened with this deployment's sealing key")
        }
        var (accessKey, secret, token): (String, String, String?) = ("", "", nil)
        do throws(RecordError) {
            var reader = RecordReader(opened)
            while let (field, value) = try reader.next() {
                switch field {
                case 1: accessKey = value.text
                case 2: secret = value.text
                case 3: token = value.text
                default: break
                }
            }
        } catch {
            throw .unavailable("its credentials are malformed")
        }
        return BackendCredentials(
            accessKey: accessKey, secret: Secret(secret), sessionToken: token.map { Secret($0) })
    }

    /// The store that a record describes. Nothing is sent yet.
    ///
    /// - Throws: `unavailable` where the record cannot be used, or the system has no thread left.
    func store(_ record: BackendRecord) throws(StorageError) -> RemoteStore {
        let endpoint: RemoteEndpoint
        do throws(RemoteSettingError) {
            endpoint = try RemoteEndpoint(record)
        } catch {
            throw .unavailable("\(record.name): \(error)")
        }
        return try RemoteStore(
            name: record.name, endpoint: endpoint, credentials: try credentials(of: record).forSigning,
            settings: RemoteStoreSettings(record), environment: environment)
    }

    private static func binding(_ record: BackendRecord) -> [UInt8] {
        var writer = RecordWriter()
        for (field, value) in [record.name, record.url, record.bucket].enumerated() {
            writer.text(UInt64(field + 1), value)
        }
        writer.text(4, record.authorities)
        for key in record.pinnedKeys { writer.bytes(5, key) }
        return writer.bytes
    }
}

extension RemoteEndpoint {
    init(_ record: BackendRecord) throws(RemoteSettingError) {
        try self.init(
            url: record.url, bucket: record.bucket, prefix: record.prefix, region: record.signingRegion,
            addressing: Addressing(rawValue: record.addressing) ?? .path)
    }
}

extension RemoteStoreSettings {
    init(_ record: BackendRecord) {
        self.init()
        if let authorities = record.authorities { transfer.trust = .certificates(authorities) }
        transfer.pinnedKeys = record.pinnedKeys
    }
}
