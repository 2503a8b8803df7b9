import Primitives
import Testing

@Suite("JSON")
struct JSONTests {
    private func parse(_ text: String, limits: JSONLimits = JSONLimits()) throws(JSONError) -> JSON {
        try JSON.parse(Array(text.utf8), limits: limits)
    }

    private func canonical(_ value: JSON) -> String { String(decoding: value.canonical, as: UTF8.self) }

    @Test("reads every kind of value")
    func kinds() throws {
        let value = try parse(
            #" { "a" : [ null , true,false, 0, -12 , 1.5e1, 9223372036854775807, 9223372036854775808 ] , "#
                + #""b":{}, "c":[]} "#
        )
        let expected: JSON = [
            "a": [nil, true, false, 0, -12, 15.0, 9_223_372_036_854_775_807, .double(9_223_372_036_854_775_808)],
            "b": .object(JSONObject()), "c": .array([]),
        ]
        #expect(value == expected)
        #expect(value["a"]?.arrayValue?.count == 8)
        #expect(value["d"] == nil)
    }

    @Test("reads every escape")
    func escapes() throws {
        #expect(
            try parse(#""\"\\\/\b\f\n\r\t\u0041\u00e9\uD83D\uDE00\u0000""#)
                == .string("\"\\/\u{8}\u{C}\n\r\tA\u{E9}\u{1F600}\u{0}"))
    }

    @Test(
        "refuses what is not JSON, and says why",
        arguments: [
            ("", JSONError.Kind.unexpectedEnd), ("{", .unexpectedEnd), ("[1", .unexpectedEnd), ("\"a", .unexpectedEnd),
            ("nul", .unexpectedEnd), ("nulL", .unexpectedByte), ("[1,]", .unexpectedByte), ("{,}", .unexpectedByte),
            ("{\"a\":1,}", .unexpectedByte), ("{a:1}", .unexpectedByte), ("{\"a\" 1}", .unexpectedByte),
            ("\u{FEFF}{}", .unexpectedByte), ("+1", .unexpectedByte), ("NaN", .unexpectedByte),
            ("'a'", .unexpectedByte), ("[1 2]", .unexpectedByte), ("// no\n1", .unexpectedByte),
            ("1 1", .trailingBytes), ("{}}", .trailingBytes), ("null\u{0}", .trailingBytes),
            ("01", .invalidNumber), ("-", .invalidNumber), ("1.", .invalidNumber), ("1e", .invalidNumber),
            ("1e999", .invalidNumber), ("-01", .invalidNumber), ("1.e5", .invalidNumber),
            (#""\x""#, .invalidString), (#""\u12G4""#, .invalidString), ("\"a\nb\"", .invalidString),
            (#""\uD800""#, .invalidString), (#""\uDC00""#, .invalidString), (#""\uD800\u0041""#, .invalidString),
            (#""\uD800\uD800""#, .invalidString), (#"{"a":1,"a":2}"#, .duplicateName),
            (#"{"a":1,"\u0061":2}"#, .duplicateName),
        ])
    func refusals(_ text: String, _ kind: JSONError.Kind) {
        #expect { try parse(text) } throws: { ($0 as? JSONError)?.kind == kind }
    }

    @Test("refuses a name that comes twice among any number", arguments: [2, 23, 24, 25, 26, 100])
    func manyNames(_ count: Int) throws {
        let members = (0..<count).map { "\"n\($0)\":\($0)" }
        let object = try #require(try parse("{\(members.joined(separator: ","))}").objectValue)
        #expect(object.members.map(\.name) == (0..<count).map { "n\($0)" })
        for repeated in [0, count / 2, count - 1] {
            let text = "{\(members.joined(separator: ",")),\"n\(repeated)\":null}"
            #expect { try parse(text) } throws: { ($0 as? JSONError)?.kind == .duplicateName }
        }
    }

    @Test(
        "refuses bytes that are not UTF-8",
        arguments: [[0xFF], [0xC0, 0x80], [0xED, 0xA0, 0x80], [0xF5, 0x80, 0x80, 0x80]])
    func notUTF8(_ bytes: [UInt8]) {
        #expect { try JSON.parse([0x22] + bytes + [0x22]) } throws: { ($0 as? JSONError)?.kind == .invalidUTF8 }
    }

    @Test("keeps its limits on bytes and depth")
    func limits() throws {
        let nested = { (depth: Int) in String(repeating: "[", count: depth) + String(repeating: "]", count: depth) }
        #expect(throws: Never.self) { try parse(nested(64)) }
        #expect { try parse(nested(65)) } throws: { ($0 as? JSONError)?.kind == .tooDeep }
        #expect { try parse(nested(100_000)) } throws: { ($0 as? JSONError)?.kind == .tooDeep }
        #expect(throws: Never.self) { try parse("[1,2]", limits: JSONLimits(bytes: 5)) }
        #expect { try parse("[1, 2]", limits: JSONLimits(bytes: 5)) } throws: { ($0 as? JSONError)?.kind == .tooLarge }
        #expect(throws: Never.self) { try parse("[[],[],[]]", limits: JSONLimits(depth: 2)) }
    }

    @Test("compares strings and names by bytes, not by Unicode's equivalence")
    func bytewise() throws {
        let composed = JSON.string("\u{E9}")
        let decomposed = JSON.string("e\u{301}")
        #expect(composed != decomposed)
        #expect(Set([composed, decomposed]).count == 2)
        let object = try parse("{\"\u{E9}\":1,\"e\u{301}\":2}")
        #expect(object["\u{E9}"] == 1)
        #expect(object["e\u{301}"] == 2)
    }

    @Test("sorts members by UTF-16 code units (RFC 8785 §3.2.3)")
    func sorting() throws {
        let text = #"{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}"#
        let sorted =
            "{\"\\r\":2,\"1\":4,\"\u{80}\":6,\"\u{F6}\":7,\"\u{20AC}\":1,\"\u{1F600}\":5,\"\u{FB33}\":3}"
        #expect(canonical(try parse(text)) == sorted)
    }

    @Test("writes the shortest escapes")
    func writtenEscapes() {
        #expect(
            canonical(.string("\u{20AC}$\u{F}\n\u{8}\t\r\u{C}A'B\"\\/\u{7F}"))
                == "\"\u{20AC}$\\u000f\\n\\b\\t\\r\\fA'B\\\"\\\\/\u{7F}\"")
    }

    @Test(
        "writes doubles as ECMAScript does (RFC 8785 appendix B)",
        arguments: [
            (0x0000_0000_0000_0000, "0"), (0x8000_0000_0000_0000, "0"), (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"), (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"), (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"), (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"), (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"), (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"), (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"), (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"), (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] as [(UInt64, String)])
    func doubles(_ bits: UInt64, _ text: String) {
        #expect(canonical(.double(Double(bitPattern: bits))) == text)
    }

    @Test("comes back unchanged from its canonical text")
    func roundTrip() throws {
        let value: JSON = [
            "z": [1, -1, 0.5, "\u{1F600}\u{0}", nil, ["b": true, "a": false]], "a": .integer(.min), "": .integer(.max),
        ]
        let once = value.canonical
        #expect(try JSON.parse(once).canonical == once)
    }

    @Test("survives any bytes", arguments: 0..<200)
    func noise(_ seed: UInt64) {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 | 1
        let alphabet = Array("{}[]\":,\\u0dD8e-+.1tfn \n\u{E9}".utf8)
        for _ in 0..<50 {
            var bytes: [UInt8] = []
            for _ in 0..<40 {
                state ^= state << 13
                state ^= state >> 7
                state ^= state << 17
                bytes.append(alphabet[Int(state % UInt64(alphabet.count))])
            }
            guard case .success(let value) = Result(catching: { try JSON.parse(bytes) }) else { continue }
            #expect(throws: Never.self) { try JSON.parse(value.canonical) }
        }
    }
}
