import Policy
import Primitives
import Testing

@Suite("The evaluator against its reference")
struct DifferentialTests {
    private static let actions = ["s3:GetObject", "s3:PutObject", "s3:getobject", "s3:DeleteObject"]
    private static let actionPatterns = [
        "*", "s3:*", "s3:Get*", "S3:?etObject", "s3:*Object", "s3:PutObject", "s3:*t*t*",
    ]
    private static let keys = ["a", "aa", "ab", "ba", "a/b", "b/a/b", "aab"]
    private static let keyPatterns = ["*", "a", "a*", "*b", "?", "a?", "*a*b*", "**", "a/*", "b*?"]
    private static let principals: [Principal] = [
        PolicyExample.alice, PolicyExample.stranger, PolicyExample.root, .anonymous,
    ]
    private static let names = [
        "*", "111122223333", "444455556666", PolicyExample.alice.arn, PolicyExample.stranger.arn,
    ]
    private static let operators = [
        "StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
    ]
    private static let values = ["x", "X", "xy", "x*", "*", "?"]
    private static let conditionKeys = ["s3:prefix", "s3:delimiter"]

    private static func rule(_ generator: inout SplitMix, isBucket: Bool) -> ReferencePolicy.Rule {
        func some(_ elements: [String], _ generator: inout SplitMix) -> [String] {
            (0...generator.next(2)).map { _ in generator.pick(elements) }
        }
        var clauses: [ReferencePolicy.Clause] = []
        for _ in 0..<generator.next(3) {
            let key = generator.pick(conditionKeys)
            var name =
                generator.pick(["", "", "ForAllValues:", "ForAnyValue:"]) + generator.pick(operators)
                + generator.pick(["", "", "IfExists"])
            var chosen = some(values, &generator)
            if generator.next(6) == 0 { (name, chosen) = ("Null", [generator.pick(["true", "false"])]) }
            // One operator stands once in a block.
            if !clauses.contains(where: { $0.name == name }) {
                clauses.append(.init(name: name, key: key, values: chosen))
            }
        }
        return ReferencePolicy.Rule(
            allows: generator.next(3) > 0, negatesAction: generator.next(5) == 0,
            actions: some(actionPatterns, &generator),
            negatesResource: generator.next(5) == 0,
            resources: some(keyPatterns, &generator).map { "arn:aws:s3:::bucket/\($0)" },
            principals: isBucket ? some(names, &generator) : nil, clauses: clauses)
    }

    @Test("agrees on every access under generated policies", arguments: 0..<40)
    func agreement(_ seed: UInt64) throws {
        var generator = SplitMix(seed)
        var outcomes: Set<Bool> = []
        for _ in 0..<40 {
            let identity = ReferencePolicy(
                rules: (0...generator.next(2)).map { _ in Self.rule(&generator, isBucket: false) })
            let bucket = ReferencePolicy(
                rules: (0...generator.next(2)).map { _ in Self.rule(&generator, isBucket: true) })
            let policies = PolicySet(
                identity: [try PolicyDocument.parse(identity.json.canonical, kind: .identity)],
                resource: try PolicyDocument.parse(bucket.json.canonical, kind: .bucket("bucket")))
            for _ in 0..<20 {
                let (action, key) = (generator.pick(Self.actions), generator.pick(Self.keys))
                let principal = generator.pick(Self.principals)
                var context: [String: [String]] = [:]
                for name in Self.conditionKeys where generator.next(3) > 0 {
                    context[name] = (0..<generator.next(3)).map { _ in generator.pick(["x", "X", "xy", "y"]) }
                }
                let resource = "arn:aws:s3:::bucket/\(key)"
                let access = Access(action: action, resource: resource, context: context)
                let real = decide(access, by: principal, at: PolicyExample.now, under: policies)
                let expected = ReferencePolicy.decide(
                    action, resource, principal, context, identity: identity, bucket: bucket)
                #expect(
                    real.allowed == expected,
                    "seed \(seed): \(access) \(String(decoding: bucket.json.canonical, as: UTF8.self))")
                outcomes.insert(expected)
            }
        }
        #expect(outcomes == [true, false])
    }
}
