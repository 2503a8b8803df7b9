import Foundation
import Primitives
import Signing
import Testing

/// What `Tests/Oracles/signing_vectors.py` had other clients sign.
struct Oracle: Sendable {
    struct Request: Sendable, CustomTestStringConvertible {
        let name: String
        let head: RequestHead
        /// Nil where the oracle signed a head alone.
        let body: [UInt8]?
        /// The bucket that the host names, if it does.
        let bucketOfHost: String?

        var testDescription: String { name }
    }

    struct Chunks: Sendable, CustomTestStringConvertible {
        let mode: PayloadMode
        let trailerName: String?
        let seed: String
        let sizes: [Int]
        /// The SHA-256 of the whole framed payload, whose chunk i has the bytes (i + n) % 251.
        let framedSHA256: String

        var testDescription: String { "\(mode) \(sizes)" }
    }

    struct Malformed: Error {}

    let accessKeyID: String
    let secret: SecretKey
    let region: String
    let date: Timestamp
    let requests: [Request]
    let chunks: [Chunks]
    let post: [(name: String, value: String)]
    /// Requests and a form of signature version 2.
    let version2: [Request]
    let version2Post: [(name: String, value: String)]

    static let shared: Result<Oracle, any Error> = Result { try Oracle() }
    /// None where the file is damaged, which the test of their number notices.
    static var requests: [Request] { (try? shared.get().requests) ?? [] }
    static var version2: [Request] { (try? shared.get().version2) ?? [] }
    static var chunks: [Chunks] { (try? shared.get().chunks) ?? [] }

    private init() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Oracles/signing.json")
        let json = try JSON.parse(Array(try Data(contentsOf: file)), limits: JSONLimits(bytes: 4 << 20))
        accessKeyID = try Self.text(json["accessKeyID"])
        secret = SecretKey(try Self.text(json["secretKey"]))
        region = try Self.text(json["region"])
        guard let date = Timestamp(iso8601Basic: try Self.text(json["date"])) else { throw Malformed() }
        self.date = date
        requests = try Self.requests(json["requests"])
        version2 = try Self.requests(json["version2"]?["requests"])
        chunks = try (json["chunks"]?.arrayValue ?? []).map { entry in
            Chunks(
                mode: try PayloadMode(headerValue: try Self.text(entry["mode"])),
                trailerName: entry["trailer"]?.stringValue, seed: try Self.text(entry["seed"]),
                sizes: (entry["sizes"]?.arrayValue ?? []).compactMap { $0.integerValue.map { Int($0) } },
                framedSHA256: try Self.text(entry["framedSHA256"]))
        }
        post = try Self.form(json["post"])
        version2Post = try Self.form(json["version2"]?["post"])
    }

    private static func text(_ value: JSON?) throws -> String {
        guard let text = value?.stringValue else { throw Malformed() }
        return text
    }

    private static func requests(_ list: JSON?) throws -> [Request] {
        try (list?.arrayValue ?? []).map { entry in
            let fields = try (entry["headers"]?.arrayValue ?? []).map { pair in
                let (name, value) = (try text(pair.arrayValue?.first), try text(pair.arrayValue?.last))
                return HeaderFields.Field(name: name, value: value.trimmingCharacters(in: .whitespaces))
            }
            let head = RequestHead(
                method: try text(entry["method"]), target: try text(entry["target"]), fields: HeaderFields(fields))
            let body = entry["headOnly"] == nil ? Base64.decode(try text(entry["body"])) : nil
            return Request(
                name: try text(entry["name"]), head: head, body: body,
                bucketOfHost: entry["bucketOfHost"]?.stringValue)
        }
    }

    private static func form(_ fields: JSON?) throws -> [(name: String, value: String)] {
        try (fields?.objectValue?.members ?? []).map { ($0.name, try text($0.value)) }
    }
}
