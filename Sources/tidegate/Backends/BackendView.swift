import FoundationEssentials
import Metadata
import Primitives

/// What is shown of a backend, and of whose secrets nothing is.
struct BackendView: Codable, Sendable {
    struct Finding: Codable, Sendable {
        var ability: String
        var verdict: String
        var detail: String
    }

    var name: String
    /// The position in the pool; nil for an adopted bucket.
    var store: Int?
    var id: String
    var url: String
    var bucket: String
    var prefix: String
    var profile: String
    var durability: String
    /// `active`, `draining` or `detached`; of an adopted bucket `listing`, `shown`, `moving` or `detached`.
    var standing: String
    /// How much it is to hold, beside the others; nil for an adopted bucket.
    var weight: Int?
    /// What it holds, can hold, and how full that is, as of a store (`PoolStoreView`).
    var usedBytes: Int64?
    var capacityBytes: Int64?
    var usedPercent: Int?
    var fill: String?
    /// Blobs that had a shard on it, or on another store that is drained, when that was looked at last; of an adopted
    /// bucket, runs of objects that are to be moved.
    var left: Int?
    /// The bucket of ours in which the objects of an adopted one are shown.
    var shownIn: String?
    /// Objects that are shown, their bytes, and objects that are not.
    var objects: UInt64?
    var bytes: UInt64?
    var passedOver: UInt64?
    /// Why the gateway does not reach it; nil where it does, and where no gateway runs.
    var absence: String?
    /// How long it takes to give the first cell that a read waits for, in milliseconds: a moving mean. Nil where it was
    /// not asked lately, and where no gateway runs.
    var firstCellMilliseconds: Double?
    var region: String
    var zone: String
    var provider: String
    var hosts: [String]
    var attached: String
    var probed: String
    var findings: [Finding]

    init(_ position: UInt16, _ store: StoreRecord, _ record: BackendRecord, absence: String?) {
        (name, url, bucket, prefix) = (record.name, record.url, record.bucket, record.prefix)
        (self.store, id, profile) = (Int(position), Hex.encode(store.id), record.profile)
        durability = record.isBuffered ? "buffered" : "durable"
        (standing, weight) = (store.standing.text, Int(store.weight))
        self.absence = absence
        let domain = record.domain
        (region, zone, provider, hosts) = (domain.region, domain.zone, domain.provider, domain.hosts)
        attached = store.attached.iso8601
        probed = record.probed.iso8601
        findings = record.findings.map { Finding(ability: $0.ability, verdict: $0.verdict, detail: $0.detail) }
    }

    /// - Parameter left: runs that are to be moved, where that is known.
    init(_ source: SourceRecord, left: Int?) {
        let record = source.backend
        (name, url, bucket, prefix) = (record.name, record.url, record.bucket, record.prefix)
        (id, profile, durability) = ("", record.profile, record.isBuffered ? "buffered" : "durable")
        standing =
            switch source.standing {
            case .listing: "listing"
            case .shown: "shown"
            case .moving: "moving"
            case .detached: "detached"
            }
        self.left = left
        (shownIn, objects, bytes, passedOver) = (source.bucket, source.objects, source.bytes, source.passedOver)
        let domain = record.domain
        (region, zone, provider, hosts) = (domain.region, domain.zone, domain.provider, domain.hosts)
        (attached, probed, findings) = (source.adopted.iso8601, "", [])
    }
}

/// JSON as the admin port speaks it: sorted members, so that two answers can be compared.
enum AdminJSON {
    static func encode(_ value: some Encodable) throws(BackendError) -> [UInt8] {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
        do {
            return try Array(encoder.encode(value)) + [UInt8(ascii: "\n")]
        } catch {
            throw BackendError(.unavailable, "The answer cannot be written: \(error)")
        }
    }

    static func decode<Value: Decodable>(_ type: Value.Type, _ bytes: [UInt8]) throws(BackendError) -> Value {
        do {
            return try JSONDecoder().decode(type, from: Data(bytes))
        } catch let error as DecodingError {
            throw .invalid("The document cannot be used: \(explain(error))")
        } catch {
            throw .invalid("The document is no JSON.")
        }
    }

    private static func explain(_ error: DecodingError) -> String {
        switch error {
        case .keyNotFound(let key, _): "`\(key.stringValue)` is missing."
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "`\(context.codingPath.map(\.stringValue).joined(separator: "."))` is of another type."
        default: "it is no JSON."
        }
    }
}
