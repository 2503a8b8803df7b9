import Testing
import XML

@Suite("Reading XML")
struct XMLDocumentTests {
    private func parse(_ document: String) throws -> XMLElement { try XMLDocument.parse(Array(document.utf8)) }

    @Test("A request of S3's is read into elements and texts")
    func request() throws {
        let root = try parse(
            """
            <?xml version="1.0" encoding="UTF-8"?>
            <Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
                <Quiet>true</Quiet>
                <Object><Key> a &amp; b\t</Key></Object>
                <Object><Key>&#13;&#x1F600;</Key><VersionId/></Object>
            </Delete>
            """)
        #expect(root.isNamed("Delete"))
        #expect(!root.isNamed("delete"))
        #expect(root.namespace == XMLElement.s3Namespace)
        #expect(root.text.isEmpty)
        #expect(root.child("Quiet")?.text == "true")
        let objects = root.children("Object")
        #expect(objects.map { $0.child("Key")?.text } == [" a & b\t", "\r\u{1F600}"])
        #expect(objects[0].child("VersionId") == nil)
        #expect(try objects[1].onlyChild("VersionId")?.text == "")
    }

    @Test(
        "The declaration, the byte order mark and the namespace may be there or not",
        arguments: [
            "<a/>", "\u{feff}<a/>", "\u{feff}<?xml version=\"1.0\"?><a/>",
            "<?xml version='1.0' encoding='utf-8'?>\n<a/>\n",
            "<?xml version = \"1.0\" encoding = \"UTF-8\" standalone = \"yes\" ?><a></a>",
            "<?xml version='1.0' standalone='no'?><a/>", "<!-- x --><a/><!-- y -->", " \r\n<a\n/>",
            "<a xmlns='http://s3.amazonaws.com/doc/2006-03-01/'/>",
            "<s:a xmlns:s='http://s3.amazonaws.com/doc/2006-03-01/'/>",
        ])
    func prologues(_ document: String) throws {
        #expect(try parse(document).isNamed("a"))
    }

    @Test(
        "A declaration that does not parse is refused",
        arguments: [
            "<?xml?><a/>", "<?xml ?><a/>", "<?xml encoding='UTF-8'?><a/>", "<?xml version='1.0' standalone='x'?><a/>",
            "<?xml version='1.0'encoding='UTF-8'?><a/>", "<?xml version='1.0' x='y'?><a/>", "<?xml version='1.0",
        ])
    func declarations(_ document: String) {
        #expect(throws: XMLError.self) { try parse(document) }
    }

    @Test("Attributes keep their namespaces, and declarations are none of them")
    func attributes() throws {
        let root = try parse(
            """
            <Grantee xmlns:xsi='http://www.w3.org/2001/XMLSchema-instance' xsi:type='CanonicalUser' \
            b='&lt;&#10; x&amp;&#38;#38;&amp;amp;'/>
            """
        )
        #expect(root.attributes.count == 2)
        #expect(root.attribute("type") == "CanonicalUser")
        #expect(root.attributes[0].namespace == "http://www.w3.org/2001/XMLSchema-instance")
        #expect(root.attribute("b") == "<\n x&&#38;&amp;")
        #expect(root.attributes[1].namespace == nil)
        #expect(root.attribute("xsi") == nil)
    }

    @Test("Names and texts that Unicode calls equivalent stay what they are")
    func canonicalEquivalence() throws {
        let root = try parse("<a><e\u{301}>\u{e9}</e\u{301}><k>e\u{301}</k></a>")
        #expect(root.child("\u{e9}") == nil)
        #expect(root.child("e\u{301}").map { Array($0.text.utf8) } == [0xc3, 0xa9])
        #expect(root.child("k").map { Array($0.text.utf8) } == [0x65, 0xcc, 0x81])
    }

    @Test("Line ends become line feeds, as XML wants")
    func lineEnds() throws {
        #expect(try parse("<a>x\r\ny\rz</a>").text.utf8.elementsEqual("x\ny\nz".utf8))
    }

    @Test("An error says where it is, with the declaration counted")
    func positions() throws {
        let undefined = #expect(throws: XMLError.self) {
            try parse("<?xml version='1.0'?>\n<a>\n  <b>&undefined;</b>\n</a>")
        }
        #expect(undefined?.line == 3)
        #expect(undefined?.message == "An entity is used that XML does not define.")
        let forbidden = #expect(throws: XMLError.self) { try parse("<?xml version='1.0'?>\n<!DOCTYPE a><a/>") }
        #expect(forbidden?.description == "Document type declarations are not accepted. (line 2, column 1)")
    }

    @Test("A long text comes whole")
    func longText() throws {
        let text = String(repeating: "0123456789&amp;\u{20ac}", count: 50_000)
        let root = try parse("<a>\(text)</a>")
        #expect(root.text.utf8.count == 50_000 * 14)
    }

    @Test("Ten thousand parts are read")
    func manyParts() throws {
        let parts = (1...10_000).map { "<Part><PartNumber>\($0)</PartNumber><ETag>\"\($0)\"</ETag></Part>" }.joined()
        let root = try parse("<CompleteMultipartUpload>\(parts)</CompleteMultipartUpload>")
        #expect(root.children("Part").count == 10_000)
        #expect(root.children("Part").last?.child("ETag")?.text == "\"10000\"")
    }
}
