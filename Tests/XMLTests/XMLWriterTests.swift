import Testing
import XML

@Suite("Writing XML")
struct XMLWriterTests {
    private func text(_ writer: XMLWriter) -> String { String(decoding: writer.bytes, as: UTF8.self) }

    @Test("A document of S3's")
    func document() {
        var writer = XMLWriter()
        writer.root("ListBucketResult") { writer in
            writer.element("Name", "bucket")
            writer.element("Prefix", "")
            writer.element("KeyCount", 2)
            writer.element("IsTruncated", false)
            writer.element("Contents") { $0.element("ETag", "\"0\"") }
            writer.element("Grantee", attributes: [("type", "a\"<&\n")]) { _ in }
        }
        #expect(
            text(writer) == """
                <?xml version="1.0" encoding="UTF-8"?>
                <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name><Prefix/>\
                <KeyCount>2</KeyCount><IsTruncated>false</IsTruncated><Contents><ETag>&quot;0&quot;</ETag></Contents>\
                <Grantee type="a&quot;&lt;&amp;&#xa;"/></ListBucketResult>
                """)
    }

    @Test("Errors of a type pass through an element that is being written")
    func errors() {
        struct Failure: Error {}
        var writer = XMLWriter(declaration: false)
        #expect(throws: Failure.self) {
            try writer.element("a") { (_) throws(Failure) in throw Failure() }
        }
    }

    @Test(
        "What XML cannot hold is a reference, as in S3",
        arguments: [
            ("\u{1}", "&#x1;"), ("\u{0}", "&#x0;"), ("\r", "&#xd;"), ("\r\n", "&#xd;\n"), ("\t\n", "\t\n"),
            ("\u{1f}", "&#x1f;"),
            ("\u{fffe}", "&#xfffe;"), ("\u{ffff}", "&#xffff;"), ("\u{fffd}\u{efff}", "\u{fffd}\u{efff}"),
            ("\u{7f}", "\u{7f}"), ("]]>", "]]&gt;"), ("a<b>&\"c\"", "a&lt;b&gt;&amp;&quot;c&quot;"),
        ])
    func escapes(_ input: String, _ output: String) {
        var writer = XMLWriter(declaration: false)
        writer.element("a", input)
        writer.element("a", input.utf8.span)
        #expect(writer.bytes == Array("<a>\(output)</a><a>\(output)</a>".utf8))
    }

    @Test("What is written is read back the same, every scalar that XML allows among it")
    func roundTrip() throws {
        var all = ""
        for value in UInt32(0x20)..<0x3000 {
            all.unicodeScalars.append(contentsOf: Unicode.Scalar(value).map { [$0] } ?? [])
        }
        for text in [
            all, "\t\n\r x \r\n", "e\u{301}\u{e9}", "\u{e000}\u{fffd}\u{10ffff}", "<![CDATA[x]]>", "&amp;", "",
        ] {
            var writer = XMLWriter()
            writer.root("r") { $0.element("k", attributes: [("v", text)], text) }
            let limits = XMLLimits(tagBytes: 1 << 20)
            let read = try XMLDocument.parse(writer.bytes, limits: limits).child("k")
            let isTextRight = read?.text.utf8.elementsEqual(text.utf8)
            let isAttributeRight = read?.attribute("v")?.utf8.elementsEqual(text.utf8)
            #expect(isTextRight == true)
            #expect(isAttributeRight == true)
        }
    }
}
