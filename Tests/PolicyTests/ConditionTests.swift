import Policy
import Primitives
import Testing

@Suite("Conditions")
struct ConditionTests {
    private typealias Example = PolicyExample

    /// Operator, value, the request's value, whether it holds.
    private static let comparisons: [(String, String, String, Bool)] = [
        ("StringEquals", "\"a\"", "a", true), ("StringEquals", "\"a\"", "A", false),
        ("StringEquals", "\"a*\"", "ab", false),
        ("StringEquals", "[\"a\",\"b\"]", "b", true), ("StringNotEquals", "[\"a\",\"b\"]", "b", false),
        ("StringNotEquals", "[\"a\",\"b\"]", "c", true), ("StringEqualsIgnoreCase", "\"aB\"", "Ab", true),
        ("StringNotEqualsIgnoreCase", "\"aB\"", "Ab", false), ("StringNotEqualsIgnoreCase", "\"aB\"", "x", true),
        ("StringLike", "\"a*c?\"", "abbcd", true), ("StringLike", "\"a*c?\"", "abbc", false),
        ("StringNotLike", "\"a*\"", "ab", false), ("StringNotLike", "\"a*\"", "b", true),
        ("StringEquals", "\"\\u00e9\"", "e\u{301}", false), ("StringEquals", "\"alice\"", "${aws:username}", false),
        ("StringEquals", "\"${aws:username}\"", "alice", true),
        ("StringEqualsIgnoreCase", "\"${aws:UserName}\"", "ALICE", true),
        ("StringLike", "\"${aws:username}/*\"", "alice/x", true), ("StringLike", "\"a${*}\"", "ab", false),
        ("NumericEquals", "10", "10.0", true), ("NumericEquals", "\"10\"", "11", false),
        ("NumericEquals", "10", "x", false),
        ("NumericNotEquals", "10", "11", true), ("NumericNotEquals", "10", "10", false),
        ("NumericNotEquals", "10", "x", true),
        ("NumericLessThan", "10", "9", true), ("NumericLessThan", "10", "10", false),
        ("NumericLessThan", "10", "", false),
        ("NumericLessThanEquals", "10", "10", true), ("NumericLessThanEquals", "10", "10.5", false),
        ("NumericGreaterThan", "10", "10", false), ("NumericGreaterThan", "10", "11", true),
        ("NumericGreaterThan", "10", "x", false),
        ("NumericGreaterThanEquals", "10", "10", true), ("NumericGreaterThanEquals", "10", "9", false),
        ("NumericGreaterThan", "10", "inf", false), ("NumericGreaterThan", "10", "0x20", false),
        ("DateEquals", "\"2026-01-01T00:00:00Z\"", "1767225600", true), ("DateNotEquals", "0", "1", true),
        ("DateLessThan", "\"2026-01-01T00:00:00Z\"", "2025-12-31T23:59:59Z", true),
        ("DateLessThan", "\"2026-01-01T00:00:00Z\"", "2026-01-01T00:00:00Z", false),
        ("DateLessThanEquals", "\"2026-01-01T00:00:00Z\"", "2026-01-01T01:00:00+01:00", true),
        ("DateGreaterThan", "\"2026-01-01T00:00:00Z\"", "2026-01-01T00:00:01Z", true),
        ("DateGreaterThan", "\"2026-01-01T00:00:00Z\"", "tomorrow", false),
        ("DateGreaterThan", "0", "-9223372036854775808", false),
        ("DateGreaterThanEquals", "\"2026-01-01T00:00:00Z\"", "2026-01-01T00:00:00Z", true),
        ("Bool", "\"true\"", "true", true), ("Bool", "true", "false", false), ("Bool", "\"False\"", "false", true),
        ("Bool", "false", "maybe", false), ("BinaryEquals", "\"QUI=\"", "QUI=", true),
        ("BinaryEquals", "\"QUI=\"", "QUM=", false),
        ("IpAddress", "\"192.0.2.0/24\"", "192.0.2.77", true), ("IpAddress", "\"192.0.2.0/24\"", "192.0.3.1", false),
        ("IpAddress", "\"192.0.2.1\"", "192.0.2.1", true), ("IpAddress", "\"192.0.2.128/25\"", "192.0.2.127", false),
        ("IpAddress", "\"192.0.2.1/24\"", "192.0.2.9", true), ("IpAddress", "\"0.0.0.0/0\"", "203.0.113.9", true),
        ("IpAddress", "\"2001:db8::/32\"", "2001:db8:1::5", true),
        ("IpAddress", "\"2001:db8::/32\"", "2001:db9::", false),
        ("IpAddress", "\"192.0.2.0/24\"", "::ffff:192.0.2.5", true),
        ("IpAddress", "\"::ffff:192.0.2.0/120\"", "192.0.2.5", true),
        ("IpAddress", "\"fe80::/10\"", "fe80::1%eth0", true), ("IpAddress", "\"::/0\"", "::1", true),
        ("IpAddress", "\"::1\"", "0:0:0:0:0:0:0:1", true),
        ("IpAddress", "\"0.0.0.0/0\"", "not an address", false), ("IpAddress", "\"0.0.0.0/0\"", "1.2.3", false),
        ("IpAddress", "\"0.0.0.0/0\"", "1.2.3.04", false), ("IpAddress", "\"10.0.0.0/8\"", "10.0.0.0/4", false),
        ("NotIpAddress", "\"192.0.2.0/24\"", "192.0.2.1", false),
        ("NotIpAddress", "\"192.0.2.0/24\"", "198.51.100.1", true),
        ("ArnEquals", "\"arn:aws:s3:::b*\"", "arn:aws:s3:::bucket", true),
        ("ArnLike", "\"arn:aws:*:::b\"", "arn:aws:s3:::b", true),
        ("ArnLike", "\"arn:aws:*:b\"", "arn:aws:s3:::b", false),
        ("ArnLike", "\"arn:aws:iam::1*:user/${aws:username}\"", "arn:aws:iam::11:user/alice", true),
        ("ArnLike", "\"arn:*:*:*:*:*\"", "arn:aws:iam::1:user/a:b", true),
        ("ArnLike", "\"arn:*:*:*:*:*\"", "no arn", false),
        ("ArnNotEquals", "\"arn:aws:s3:::b\"", "arn:aws:s3:::c", true),
        ("ArnNotLike", "\"arn:aws:s3:::*\"", "arn:aws:s3:::c", false),
    ]

    @Test("compare as their operator says", arguments: comparisons.indices)
    func comparison(_ index: Int) throws {
        let (name, value, actual, expected) = Self.comparisons[index]
        guard !(name == "ArnLike" && value == "\"arn:aws:*:b\"") else {
            #expect(throws: PolicyError.self) { try Example.holds(#"{"ArnLike":{"s3:prefix":\#(value)}}"#, [:]) }
            return
        }
        let block = #"{"\#(name)":{"S3:Prefix":\#(value)}}"#
        #expect(try Example.holds(block, ["s3:prefix": [actual]]) == expected, "\(name) \(value) \(actual)")
    }

    @Test("treat an absent key as AWS does")
    func absent() throws {
        for (name, value, expected) in [
            ("StringEquals", "a", false), ("StringNotEquals", "a", true), ("StringLike", "*", false),
            ("StringNotLike", "*", true),
            ("StringEqualsIfExists", "a", true), ("StringNotEqualsIfExists", "a", true),
            ("NumericLessThan", "1", false),
            ("NumericGreaterThan", "1", false), ("NumericNotEquals", "1", true), ("BoolIfExists", "true", true),
            ("Bool", "false", false),
            ("IpAddress", "0.0.0.0/0", false), ("NotIpAddress", "0.0.0.0/0", true),
            ("IpAddressIfExists", "10.0.0.1", true),
            ("Null", "true", true), ("Null", "false", false), ("ForAllValues:StringEquals", "a", true),
            ("ForAllValues:StringNotEquals", "a", true), ("ForAnyValue:StringEquals", "a", false),
            ("ForAnyValue:StringNotEquals", "a", false), ("ForAnyValue:StringEqualsIfExists", "a", true),
        ] {
            #expect(try Example.holds(#"{"\#(name)":{"s3:prefix":"\#(value)"}}"#, [:]) == expected, "\(name)")
            let empty: [String: [String]] = ["s3:prefix": []]
            #expect(try Example.holds(#"{"\#(name)":{"s3:prefix":"\#(value)"}}"#, empty) == expected, "\(name)")
        }
        #expect(try Example.holds(#"{"Null":{"s3:prefix":"false"}}"#, ["s3:prefix": ["x"]]))
        #expect(try Example.holds(#"{"StringEqualsIfExists":{"s3:prefix":"a"}}"#, ["s3:prefix": ["b"]]) == false)
    }

    @Test(
        "GHSA-v9cp: quantifiers go over the request's values, negation belongs to the comparison",
        arguments: [
            ("ForAllValues:StringEquals", ["a"], true), ("ForAllValues:StringEquals", ["a", "b"], true),
            ("ForAllValues:StringEquals", ["a", "c"], false), ("ForAllValues:StringEquals", ["c"], false),
            ("ForAnyValue:StringEquals", ["a", "c"], true), ("ForAnyValue:StringEquals", ["c", "d"], false),
            ("ForAllValues:StringNotEquals", ["c", "d"], true), ("ForAllValues:StringNotEquals", ["a", "c"], false),
            ("ForAllValues:StringNotEquals", ["a"], false), ("ForAnyValue:StringNotEquals", ["a", "c"], true),
            ("ForAnyValue:StringNotEquals", ["a", "b"], false), ("ForAnyValue:StringNotEquals", ["c"], true),
            ("ForAllValues:StringLike", ["a", "b"], true), ("ForAnyValue:StringNotLike", ["a", "x"], true),
            ("ForAllValues:StringNotLike", ["a", "x"], false),
            ("StringEquals", ["a", "c"], true), ("StringEquals", ["c", "d"], false),
            ("StringNotEquals", ["a", "c"], false), ("StringNotEquals", ["c", "d"], true),
        ])
    func quantifiers(_ name: String, _ actual: [String], _ expected: Bool) throws {
        let block = #"{"\#(name)":{"s3:RequestObjectTagKeys":["a","b"]}}"#
        #expect(try Example.holds(block, ["s3:requestobjecttagkeys": actual]) == expected)
    }

    @Test("All of several must hold")
    func conjunction() throws {
        let block = #"{"StringEquals":{"s3:delimiter":"1","s3:prefix":"2"},"Bool":{"aws:SecureTransport":true}}"#
        let context = ["s3:delimiter": ["1"], "s3:prefix": ["2"], "aws:securetransport": ["true"]]
        #expect(try Example.holds(block, context))
        for key in context.keys {
            var spoiled = context
            spoiled[key] = ["x"]
            #expect(try Example.holds(block, spoiled) == false)
        }
    }

    @Test("The time is the server's")
    func time() throws {
        #expect(try Example.holds(#"{"DateGreaterThan":{"aws:CurrentTime":"2026-03-14T15:09:25Z"}}"#, [:]))
        #expect(try Example.holds(#"{"DateGreaterThan":{"aws:CurrentTime":"2026-03-14T15:09:26Z"}}"#, [:]) == false)
        #expect(try Example.holds(#"{"NumericEquals":{"aws:EpochTime":"1773500966"}}"#, [:]))
    }
}
