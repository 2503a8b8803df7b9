import Primitives
import Testing

@Suite("Canonical JSON, written member by member")
struct JSONWriterTests {
    @Test("It is what the value's canonical text is")
    func sameAsValue() throws {
        var writer = JSONWriter(capacity: 16)
        writer.beginObject()
        writer.name("a\"\\\u{1}ü")
        writer.string("b\n\u{7f}\u{10FFFF}")
        writer.name("b")
        writer.beginArray()
        writer.integer(.min)
        writer.null()
        writer.beginObject()
        writer.endObject()
        writer.beginArray()
        writer.endArray()
        writer.bool(true)
        writer.endArray()
        writer.name("c")
        writer.bool(false)
        writer.endObject()
        let value: JSON = [
            "a\"\\\u{1}ü": "b\n\u{7f}\u{10FFFF}", "b": [.integer(.min), .null, [:], [], true], "c": false,
        ]
        #expect(writer.bytes == value.canonical)
        #expect(try JSON.parse(writer.bytes) == value)
    }

    @Test("Names are ordered by their UTF-16 code units, whatever their UTF-8 is")
    func order() {
        let texts = [
            "", "a", "ab", "b", "é", "e\u{301}", "\u{7FF}", "\u{800}", "\u{D7FF}", "\u{E000}", "\u{FFFF}", "\u{10000}",
            "\u{10FFFF}", "a\u{E000}", "a\u{10000}", "a\u{10000}b", "\u{FFFF}\u{10000}", "\u{10000}\u{FFFF}",
        ]
        for left in texts {
            for right in texts {
                #expect(
                    JSON.precedes(left, right) == left.utf16.lexicographicallyPrecedes(right.utf16),
                    "\(left.debugDescription) and \(right.debugDescription)")
            }
        }
    }
}
