import Foundation
import Primitives
import Testing

/// A file of Wycheproof's (<https://github.com/C2SP/wycheproof>), of the fields that these tests use.
struct WycheproofVectors: Decodable {
    struct Group: Decodable {
        let ivSize: Int?
        let keySize: Int?
        let tagSize: Int?
        let publicKey: PublicKey?
        let tests: [Vector]
    }

    struct PublicKey: Decodable {
        let pk: String
    }

    struct Vector: Decodable {
        let tcId: Int
        let comment: String
        let key: String?
        let iv: String?
        let aad: String?
        let msg: String
        let ct: String?
        let tag: String?
        let sig: String?
        let result: String
    }

    let numberOfTests: Int
    let testGroups: [Group]

    /// The folder `shared/vectors/wycheproof`: under TIDEGATE_VECTORS, or beside a folder above this file.
    static let directory: URL? = {
        var candidates: [URL] = []
        if let path = ProcessInfo.processInfo.environment["TIDEGATE_VECTORS"] {
            candidates.append(URL(fileURLWithPath: path).appendingPathComponent("wycheproof"))
        }
        var folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        while folder.pathComponents.count > 1 {
            candidates.append(folder.appendingPathComponent("shared/vectors/wycheproof"))
            folder.deleteLastPathComponent()
        }
        return candidates.first { FileManager.default.fileExists(atPath: $0.path) }
    }()

    static let absence: Comment = "shared/vectors/wycheproof was not found; set TIDEGATE_VECTORS to its parent."

    static func load(_ name: String) throws -> WycheproofVectors {
        let folder = try #require(directory)
        let data = try Data(contentsOf: folder.appendingPathComponent(name))
        let vectors = try JSONDecoder().decode(WycheproofVectors.self, from: data)
        #expect(vectors.testGroups.reduce(0) { $0 + $1.tests.count } == vectors.numberOfTests)
        return vectors
    }

    static func bytes(_ hexadecimal: String?) throws -> [UInt8] {
        let digits = try #require(hexadecimal)
        return try #require(Hex.decode(digits))
    }
}
