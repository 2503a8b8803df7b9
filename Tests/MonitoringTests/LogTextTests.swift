import Monitoring
import Primitives
import Testing

@Suite("The text of logs")
struct LogTextTests {
    /// Scalars that end lines, steer terminals or turn the direction of text.
    private static let harmful: [UInt32] =
        Array(0...0x1F) + Array(0x7F...0x9F) + [0x61C, 0x200E, 0x200F] + Array(0x2028...0x202E)
        + Array(0x2066...0x2069)

    @Test("Nothing that ends a line or steers what shows it gets through", arguments: [true, false])
    func harmful(_ ifSpaced: Bool) throws {
        for value in Self.harmful {
            let scalar = try #require(Unicode.Scalar(value))
            let text = "a" + String(Character(scalar)) + "b"
            let quoted = LogText.quoted(text, ifSpaced: ifSpaced)
            #expect(!quoted.unicodeScalars.contains { Self.harmful.contains($0.value) }, "\(value)")
            // It is a JSON string of the same text.
            #expect(try JSON.parse(Array(quoted.utf8)) == .string(text), "\(value)")
            let line = LogText.line(["name": .string(text)])
            #expect(!line.unicodeScalars.contains { Self.harmful.contains($0.value) }, "\(value)")
            #expect(try JSON.parse(Array(line.utf8)) == ["name": .string(text)])
        }
    }

    @Test("Other text stays as it is")
    func harmless() {
        for text in ["plain", "ünïcödé", "日本", "🙂", "a/b:c"] {
            #expect(LogText.quoted(text, ifSpaced: true) == text)
        }
        #expect(LogText.quoted("two words", ifSpaced: false) == "two words")
        #expect(LogText.quoted("two words", ifSpaced: true) == "\"two words\"")
        #expect(LogText.quoted("a=\"b\"", ifSpaced: true) == "\"a=\\\"b\\\"\"")
        #expect(LogText.quoted("", ifSpaced: true) == "\"\"")
        #expect(LogText.quoted("", ifSpaced: false) == "")
    }
}
