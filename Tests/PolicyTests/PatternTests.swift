import Primitives
import Testing

@testable import Policy

@Suite("Patterns")
struct PatternTests {
    private typealias Example = PolicyExample

    private func compiled(_ pattern: [UInt8]) throws -> CompiledPattern {
        try #require(try WildcardPattern(pattern, variables: false).compiled)
    }

    @Test("match what a plain matcher matches", arguments: 0..<40)
    func agreement(_ seed: UInt64) throws {
        var generator = SplitMix(seed)
        var outcomes: Set<Bool> = []
        for _ in 0..<500 {
            // Few letters make near misses; few stars make long segments.
            let letters = Array("ab".utf8) + Array(repeating: UInt8(ascii: "a"), count: generator.next(3))
            let marks = Array("*?".utf8.prefix(1 + generator.next(2)))
            let rarity = 2 + generator.next(12)
            let pattern = (0..<generator.next(12)).map { _ in
                generator.next(rarity) == 0 ? generator.pick(marks) : generator.pick(letters)
            }
            let text = (0..<generator.next(20)).map { _ in generator.pick(letters) }
            let expected = ReferenceMatcher.matches(pattern, text)
            #expect(
                try compiled(pattern).matches(text, EvaluationCost()) == expected,
                "seed \(seed): \(String(decoding: pattern, as: UTF8.self)) \(String(decoding: text, as: UTF8.self))")
            outcomes.insert(expected)
        }
        #expect(outcomes == [true, false])
    }

    @Test("match what a plain matcher matches also where a segment is longer than a word", arguments: 0..<20)
    func longSegments(_ seed: UInt64) throws {
        var generator = SplitMix(seed)
        var outcomes: Set<Bool> = []
        for _ in 0..<40 {
            let text = (0..<(100 + generator.next(400))).map { _ in generator.pick(Array("aaab".utf8)) }
            // A piece of the text, some bytes of it any, perhaps one of them wrong.
            let start = generator.next(40)
            let length = 60 + generator.next(text.count - start - 60)
            var segment = Array(text[start..<(start + length)])
            for _ in 0..<generator.next(6) { segment[generator.next(length)] = UInt8(ascii: "?") }
            if generator.next(2) == 0 { segment[generator.next(length)] = UInt8(ascii: "b") }
            let star = [UInt8(ascii: "*")]
            let pattern = star + segment + star + (generator.next(2) == 0 ? text.suffix(5) + star : [])
            let expected = ReferenceMatcher.matches(pattern, text)
            #expect(try compiled(pattern).matches(text, EvaluationCost()) == expected, "seed \(seed)")
            outcomes.insert(expected)
        }
        #expect(outcomes == [true, false])
    }

    @Test(
        "are bytes: a question mark is one byte, and nothing in a text is special",
        arguments: [
            ("", "", true), ("", "a", false), ("*", "", true), ("?", "", false), ("?", "\u{E9}", false),
            ("??", "\u{E9}", true), ("a*", "a*?", true), ("a", "*", false), ("**a**", "a", true), ("*?*", "", false),
            ("a*a", "a", false), ("a*a", "aa", true), ("*ab*b", "ab", false), ("*ab*b", "abb", true),
            ("*aab*", "aaab", true), ("*a?b*", "aaab", true), ("*abab?c*", "abababxc", true),
        ])
    func examples(_ pattern: String, _ text: String, _ expected: Bool) throws {
        #expect(try compiled(Array(pattern.utf8)).matches(Array(text.utf8), EvaluationCost()) == expected)
        #expect(ReferenceMatcher.matches(Array(pattern.utf8), Array(text.utf8)) == expected)
    }

    /// Patterns that make matchers go back over the text again and again, with texts.
    private static let hard: [(String, String)] = [
        ("*" + String(repeating: "a", count: 15_000) + "b", String(repeating: "a", count: 30_000)),
        ("*" + String(repeating: "a", count: 15_000) + "b*", String(repeating: "a", count: 30_000)),
        ("*" + String(repeating: "ab", count: 7_000) + "b*", String(repeating: "ab", count: 15_000)),
        (String(repeating: "a*", count: 5_000) + "b", String(repeating: "a", count: 30_000)),
        (String(repeating: "*a", count: 5_000) + "*b*", String(repeating: "a", count: 30_000)),
        ("*" + String(repeating: "aaab", count: 4_000) + "*", String(repeating: "aaaa", count: 7_500)),
        (String(repeating: "*?", count: 5_000) + "*b*", String(repeating: "a", count: 30_000)),
    ]

    @Test("cost steps in proportion to the lengths of pattern and text, not to their product", arguments: hard)
    func linear(_ pattern: String, _ text: String) throws {
        let cost = EvaluationCost()
        #expect(try !compiled(Array(pattern.utf8)).matches(Array(text.utf8), cost))
        #expect(!cost.isExceeded)
        #expect(cost.steps <= 3 * (pattern.utf8.count + text.utf8.count))
    }

    @Test("with question marks cost a step for each 64 bytes of a segment")
    func questionMarks() throws {
        let key = [UInt8](repeating: UInt8(ascii: "a"), count: 1024)
        let segment = Array("a?".utf8) + [UInt8](repeating: UInt8(ascii: "a"), count: 500) + Array("b".utf8)
        let cost = EvaluationCost()
        #expect(try !compiled(Array("*".utf8) + segment + Array("*".utf8)).matches(key, cost))
        #expect(cost.steps <= 1024 * 8 + 32 * 8 + 8)
        // However long, it ends when it has cost what it may.
        let long = EvaluationCost()
        let text = [UInt8](repeating: UInt8(ascii: "a"), count: 60_000)
        let pattern = Array("*a?".utf8) + text.prefix(15_000) + Array("b*".utf8)
        #expect(try !compiled(pattern).matches(text, long))
        #expect(long.isExceeded && long.steps <= EvaluationCost.limit + 1_000)
    }

    @Test("The largest policy of patterns that are searched for in the longest key stays below the limit")
    func largestPolicy() throws {
        let resources = (0..<700).map { #""arn:aws:s3:::bucket/*\#($0)*""# }.joined(separator: ",")
        let policy = try Example.bucket(
            #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":[\#(resources)]}"#)
        func decision(_ key: String) -> (Decision, Int) {
            let cost = EvaluationCost()
            let access = Access(action: "s3:GetObject", resource: "arn:aws:s3:::bucket/\(key)")
            let policies = PolicySet(resource: policy)
            return (decide(access, by: .anonymous, at: Example.now, under: policies, cost: cost), cost.steps)
        }
        let (denied, steps) = decision(String(repeating: "a", count: 1024))
        #expect(denied == Decision(allowed: false, explicitDeny: false, reasons: []))
        #expect(steps > 700 * 1024 && steps < EvaluationCost.limit)
        #expect(decision(String(repeating: "a", count: 1020) + "699").0.allowed)
    }

    @Test("A decision that would cost more than it may is a denial, whoever asks and whatever allows it")
    func denied() throws {
        let patterns = (0..<2_000).map { _ in #""*a?b*""# }.joined(separator: ",")
        let condition = #""Condition":{"StringLike":{"aws:UserAgent":[\#(patterns)]}}"#
        for effect in ["Allow", "Deny"] {
            let costly = try Example.bucket(
                #"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"}"#,
                #"{"Effect":"\#(effect)","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*","#
                    + condition + "}")
            for principal in [Principal.anonymous, Example.alice, Example.root] {
                let cost = EvaluationCost()
                let access = Access(
                    action: "s3:DeleteObject", resource: "arn:aws:s3:::bucket/key",
                    context: ["aws:useragent": [String(repeating: "a", count: 30_000)]])
                let decision = decide(
                    access, by: principal, at: Example.now, under: PolicySet(resource: costly), cost: cost)
                #expect(!decision.allowed && decision.explicitDeny)
                #expect(decision.reasons.contains("limit:evaluation-cost"))
                #expect(cost.steps < EvaluationCost.limit + 100_000)
            }
            let usual = ["aws:useragent": ["aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/linux#6.1"]]
            #expect(Example.decision("s3:DeleteObject", by: .anonymous, usual, bucket: costly).allowed)
            // Whoever owns the bucket can always mend its policy.
            let policy = Access(
                action: "s3:PutBucketPolicy", resource: "arn:aws:s3:::bucket",
                context: ["aws:useragent": [String(repeating: "a", count: 30_000)]])
            #expect(decide(policy, by: Example.root, at: Example.now, under: PolicySet(resource: costly)).allowed)
        }
    }

    @Test("Variables cost what their values are long")
    func variables() throws {
        let resource = "arn:aws:s3:::bucket/" + String(repeating: "${aws:UserAgent}", count: 1_000)
        let policy = try Example.bucket(
            #"{"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"\#(resource)"}"#)
        let cost = EvaluationCost()
        let access = Access(
            action: "s3:GetObject", resource: "arn:aws:s3:::bucket/key",
            context: ["aws:useragent": [String(repeating: "a", count: 30_000)]])
        let decision = decide(access, by: Example.root, at: Example.now, under: PolicySet(resource: policy), cost: cost)
        #expect(decision.explicitDeny && cost.steps < EvaluationCost.limit + 60_000)
    }
}
