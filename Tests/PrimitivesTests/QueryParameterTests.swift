import Primitives
import Testing

@Suite("Parameters of a query")
struct QueryParameterTests {
    /// Name, value, and whether there was an equals sign.
    private static func parsed(_ text: String) -> [String]? {
        QueryParameter.parse(text[...])?.map {
            String(decoding: $0.name, as: UTF8.self) + ($0.hasEqualsSign ? "=" : "|")
                + String(decoding: $0.value, as: UTF8.self)
        }
    }

    @Test(
        "Names and values are decoded once, in their order",
        arguments: [
            ("", []), ("&&", []), ("a", ["a|"]), ("a=", ["a="]), ("=b", ["=b"]), ("=", ["="]),
            ("a=b&c=d", ["a=b", "c=d"]), ("&a=b&&c&", ["a=b", "c|"]), ("a=b=c", ["a=b=c"]),
            ("a+b=c+d", ["a b=c d"]), ("a%2Bb=%26%3D%25", ["a+b=&=%"]), ("%2525=%252B", ["%25=%2B"]),
            ("a=1&a=2", ["a=1", "a=2"]), ("%C3%A9=%e2%82%ac", ["é=€"]),
        ] as [(String, [String])])
    func decoded(_ text: String, _ expected: [String]) {
        #expect(Self.parsed(text) == expected)
    }

    @Test(
        "A per cent sign without two digits behind it is none, also where another parameter's follow",
        arguments: ["%", "a=%", "a=%4", "a%4=1", "a=%4&1=b", "a=%=41", "%&41", "a=%zz", "a=%-1", "a=%+1"])
    func undecodable(_ text: String) {
        #expect(Self.parsed(text) == nil)
    }

    @Test("A long one keeps all of its parameters")
    func long() throws {
        let text = (0..<3000).map { "n%2F\($0)=v+\($0)" }.joined(separator: "&")
        let parameters = try #require(Self.parsed(text))
        #expect(parameters.count == 3000)
        #expect(parameters.last == "n/2999=v 2999")
    }

    @Test("A name is compared by its bytes")
    func names() throws {
        let parameter = try #require(QueryParameter.parse("caf%C3%A9=1"[...])?.first)
        #expect(parameter.isNamed("caf\u{E9}"))
        #expect(!parameter.isNamed("cafe\u{301}"), "what Unicode calls the same is another name")
        #expect(!parameter.isNamed("caf"))
    }
}
