import Foundation
import Policy
import Primitives
import Testing

@Suite("The ready policies")
struct ReadyPolicyTests {
    private typealias Example = PolicyExample

    private static let folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        .appendingPathComponent("policies")

    private func policy(_ name: String) throws -> PolicyDocument {
        let file = Self.folder.appendingPathComponent("\(name).json")
        return try PolicyDocument.parse(Array(try Data(contentsOf: file)), kind: .identity)
    }

    @Test("are those that are tested here, and each is in order")
    func all() throws {
        let names = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path).filter {
            $0.contains(".json")
        }
        let expected = ["administrator", "diagnostics", "homefolder", "readonly", "readwrite", "writeonly"]
        #expect(names.sorted() == expected.map { $0 + ".json" })
        for name in expected { #expect(try policy(name).id?.contains(name) == true) }
    }

    private static let actions = [
        "s3:ListAllMyBuckets", "s3:ListBucket", "s3:GetObject", "s3:GetObjectVersion", "s3:PutObject",
        "s3:DeleteObject",
        "s3:CreateBucket", "s3:PutBucketPolicy", "s3:BypassGovernanceRetention", "s3:GetBucketPolicy",
    ]

    @Test(
        "allow what their names say",
        arguments: [
            ("administrator", "1111111111"), ("readwrite", "1111111001"), ("readonly", "1111000000"),
            ("writeonly", "0000100000"),
            ("diagnostics", "1100000001"), ("homefolder", "0000000000"),
        ])
    func allowances(_ name: String, _ expected: String) throws {
        let policy = try policy(name)
        let allowed = Self.actions.map { action in
            let resource =
                action == "s3:ListAllMyBuckets"
                ? "arn:aws:s3:::*"
                : action.contains("Object") || action.contains("Bypass")
                    ? "arn:aws:s3:::bucket/key" : "arn:aws:s3:::bucket"
            return Example.decision(action, resource, identity: [policy]).allowed ? "1" : "0"
        }
        #expect(allowed.joined() == expected)
    }

    @Test("give each user the folder of their name")
    func homeFolder() throws {
        let policy = try policy("homefolder")
        func allowed(_ action: String, _ resource: String, _ context: [String: [String]] = [:]) -> Bool {
            Example.decision(action, "arn:aws:s3:::\(resource)", by: Example.alice, context, identity: [policy]).allowed
        }
        #expect(allowed("s3:PutObject", "home/alice/a"))
        #expect(!allowed("s3:PutObject", "home/bob/a"))
        #expect(!allowed("s3:PutObject", "home/alicette/a"))
        #expect(allowed("s3:ListBucket", "home", ["s3:prefix": ["alice/b"]]))
        #expect(!allowed("s3:ListBucket", "home", ["s3:prefix": ["bob/"]]))
        #expect(!allowed("s3:ListBucket", "home"))
    }
}
