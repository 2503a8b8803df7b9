import NIOCore
import Testing
import XML

/// Documents made to read files, to burn memory or time, or to be read in two ways. See OWASP's XML Security cheat
/// sheet.
@Suite("Attacks on the XML reader")
struct XMLAttackTests {
    private func refusal(
        _ document: String, limits: XMLLimits = XMLLimits(), sourceLocation: SourceLocation = #_sourceLocation
    ) -> XMLError.Kind? {
        let error = #expect(throws: XMLError.self, sourceLocation: sourceLocation) {
            try XMLDocument.parse(Array(document.utf8), limits: limits)
        }
        return error?.kind
    }

    static let doctypes = [
        "external general entity": #"<!DOCTYPE a [<!ENTITY e SYSTEM "file:///etc/passwd">]><a>&e;</a>"#,
        "external parameter entity": #"<!DOCTYPE a [<!ENTITY % e SYSTEM "http://127.0.0.1:1/e.dtd"> %e;]><a/>"#,
        "external subset": #"<!DOCTYPE a SYSTEM "http://127.0.0.1:1/a.dtd"><a/>"#,
        "public subset": #"<!DOCTYPE a PUBLIC "-//X//Y" "file:///dev/zero"><a/>"#,
        "billion laughs": """
        <!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">\
        <!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;"><!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;">\
        <!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;">]><a>&e;</a>
        """,
        "quadratic blowup": "<!DOCTYPE a [<!ENTITY e \"" + String(repeating: "x", count: 50_000) + "\">]><a>"
            + String(repeating: "&e;", count: 1000) + "</a>",
        "entity that includes itself": #"<!DOCTYPE a [<!ENTITY e "&e;">]><a>&e;</a>"#,
        "bare declaration": "<!DOCTYPE a><a/>",
        "lower case": "<!doctype a><a/>",
        "after the declaration": #"<?xml version="1.0"?><!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>"#,
        "after a comment": "<!-- --><!DOCTYPE a><a/>",
        "default attribute": #"<!DOCTYPE a [<!ATTLIST a b CDATA "c">]><a/>"#,
        "within the root": "<a><!DOCTYPE a></a>",
        "after the root": "<a/><!DOCTYPE a>",
        "entity declaration without a type": #"<!ENTITY e "x"><a>&e;</a>"#,
    ]

    @Test("A document type declaration is refused (s3fs#2805 and every XXE)", arguments: doctypes.keys.sorted())
    func doctype(_ name: String) throws {
        #expect(refusal(try #require(Self.doctypes[name])) == .forbidden)
    }

    @Test("libxml2's callbacks refuse the same without our scan", arguments: doctypes.keys.sorted())
    func doctypeWithoutScan(_ name: String) throws {
        let document = try #require(Self.doctypes[name])
        let error = #expect(throws: XMLError.self) {
            try LibXML2Parser.events(of: Array(document.utf8), limits: XMLLimits())
        }
        #expect([.forbidden, .malformed].contains(error?.kind))
    }

    @Test(
        "An entity that XML does not define is refused",
        arguments: ["<a>&e;</a>", #"<a b="&e;"/>"#, "<a>&nbsp;</a>", "<a>%e;&lt</a>"])
    func undefinedEntity(_ document: String) {
        #expect(refusal(document) == .malformed)
    }

    @Test(
        "A processing instruction is refused",
        arguments: [
            "<?php echo 1 ?><a/>", "<a><?x y?></a>", "<a/><?x?>", #"<?xml-stylesheet href="x"?><a/>"#,
            #"<a/><?xml version="1.0"?>"#, #" <?xml version="1.0"?><a/>"#,
        ])
    func instruction(_ document: String) {
        #expect(refusal(document) == .forbidden)
    }

    @Test("libxml2's callbacks refuse a processing instruction even without our scan")
    func instructionWithoutScan() {
        let error = #expect(throws: XMLError.self) {
            try LibXML2Parser.events(of: Array("<a><?x y?></a>".utf8), limits: XMLLimits())
        }
        #expect(error?.kind == .forbidden)
    }

    @Test("Nesting is limited before it costs a stack")
    func nesting() throws {
        let deep = String(repeating: "<a>", count: 100_000) + String(repeating: "</a>", count: 100_000)
        #expect(refusal(deep) == .limitExceeded)
        let unclosed = String(repeating: "<a>", count: 100_000)
        #expect(refusal(unclosed) == .limitExceeded)
        let limits = XMLLimits(depth: 3)
        #expect(throws: Never.self) { try XMLDocument.parse(Array("<a><b><c/></b></a>".utf8), limits: limits) }
        #expect(refusal("<a><b><c><d/></c></b></a>", limits: limits) == .limitExceeded)
        let error = #expect(throws: XMLError.self) {
            try LibXML2Parser.events(of: Array("<a><b><c><d/></c></b></a>".utf8), limits: limits)
        }
        #expect(error?.kind == .limitExceeded)
    }

    @Test("A million attributes, or declarations of namespaces, are refused before they are compared with one another")
    func attributes() {
        let many = (0..<300_000).map { " a\($0)=''" }.joined()
        #expect(refusal("<a\(many)/>", limits: XMLLimits(bytes: 8 << 20)) == .limitExceeded)
        let namespaces = (0..<100_000).map { " xmlns:a\($0)='u'" }.joined()
        #expect(refusal("<a\(namespaces)/>", limits: XMLLimits(bytes: 8 << 20)) == .limitExceeded)
        let seventeen = (0..<17).map { " a\($0)=''" }.joined()
        #expect(refusal("<a\(seventeen)/>") == .limitExceeded)
        let withoutEquals = String(repeating: " a", count: 10_000)
        #expect(refusal("<a\(withoutEquals)/>") == .limitExceeded)
        #expect(refusal("<a b='\(String(repeating: "x", count: 9000))'/>") == .limitExceeded)
    }

    @Test("Elements, names and bytes are limited")
    func sizes() {
        let wide = "<a>" + String(repeating: "<b/>", count: 11) + "</a>"
        #expect(refusal(wide, limits: XMLLimits(elements: 11)) == .limitExceeded)
        #expect(throws: Never.self) { try XMLDocument.parse(Array(wide.utf8), limits: XMLLimits(elements: 12)) }
        #expect(refusal("<\(String(repeating: "n", count: 129))/>") == .limitExceeded)
        #expect(refusal("<a>0123456789</a>", limits: XMLLimits(bytes: 16)) == .limitExceeded)
        #expect(throws: Never.self) {
            try XMLDocument.parse(ByteBuffer(string: "<a>0123456789</a>"), limits: XMLLimits(bytes: 17))
        }
        #expect(throws: XMLError.self) {
            try XMLDocument.parse(ByteBuffer(string: "<a>0123456789</a>"), limits: XMLLimits(bytes: 16))
        }
    }

    @Test(
        "Another encoding or version is refused",
        arguments: [
            #"<?xml version="1.0" encoding="UTF-7"?><a/>"#, #"<?xml version="1.0" encoding="UTF-16"?><a/>"#,
            #"<?xml version="1.0" encoding="ISO-8859-1"?><a/>"#, #"<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>"#,
            #"<?xml version='1.0' encoding='utf-8x'?><a/>"#, #"<?xml version="1.1"?><a/>"#,
            #"<?xml version="1.0" encoding=""?><a/>"#,
        ])
    func encoding(_ document: String) {
        #expect(refusal(document) == .forbidden)
    }

    @Test("UTF-7 that hides an element is text where it is not refused")
    func utf7() throws {
        #expect(try XMLDocument.parse(Array("<a>+ADw-b/+AD4-</a>".utf8)).text == "+ADw-b/+AD4-")
    }

    @Test("UTF-16 and UTF-32 are refused, with a mark and without", arguments: [true, false], [true, false])
    func utf16(_ isBigEndian: Bool, _ hasMark: Bool) {
        for width in [2, 4] {
            var bytes: [UInt8] = []
            for unit in (hasMark ? [0xfeff] : []) + "<a/>".utf8.map(Int.init) {
                let little = (0..<width).map { UInt8(unit >> (8 * $0) & 255) }
                bytes += isBigEndian ? little.reversed() : little
            }
            let error = #expect(throws: XMLError.self) { try XMLDocument.parse(bytes) }
            #expect(error?.kind == .forbidden)
        }
    }

    @Test(
        "Bytes that are not UTF-8 are refused",
        arguments: [[0xff], [0xc0, 0xaf], [0xed, 0xa0, 0x80], [0xf4, 0x90, 0x80, 0x80], [0x80], [0xe2, 0x82]])
    func invalidUTF8(_ bytes: [UInt8]) {
        let error = #expect(throws: XMLError.self) {
            try XMLDocument.parse(Array("<a>\nx".utf8) + bytes + Array("</a>".utf8))
        }
        #expect(error?.kind == .malformed)
        #expect(error?.line == 2 && error?.column == 2)
    }

    @Test("NUL is refused wherever it stands", arguments: 0..<24)
    func nul(_ offset: Int) {
        var bytes = Array("<a b='c'>d<!--e--></a>\n\n".utf8)
        bytes.insert(0, at: offset)
        let error = #expect(throws: XMLError.self) { try XMLDocument.parse(bytes) }
        #expect(error?.kind == (offset < 4 ? .forbidden : .malformed))
    }

    @Test("A character that XML does not allow is refused, as itself and as a reference")
    func characters() {
        for reference in ["&#0;", "&#x1;", "&#xFFFE;", "&#xD800;", "&#x110000;", "&#99999999999;", "&#x;", "&#;"] {
            #expect(refusal("<a>\(reference)</a>") == .malformed)
        }
        for scalar in ["\u{1}", "\u{b}", "\u{1f}", "\u{fffe}", "\u{ffff}"] {
            #expect(refusal("<a>\(scalar)</a>") == .malformed)
            #expect(refusal("<a b='\(scalar)'/>") == .malformed)
        }
    }

    @Test("A document cut anywhere is refused")
    func truncated() throws {
        let document = Array(#"<?xml version="1.0"?><a b="c"><d>e&amp;f</d><![CDATA[ ]]><!-- g --></a>"#.utf8)
        #expect(throws: Never.self) { try XMLDocument.parse(document) }
        for count in 0..<document.count {
            #expect(throws: XMLError.self, "\(count) bytes") { try XMLDocument.parse(Array(document[..<count])) }
        }
    }

    @Test(
        "What is not well-formed is refused",
        arguments: [
            "", " ", "a", "<a/>b", "<a/><b/>", "<a></b>", "<a><b></a></b>", "</a>", "<a", "<a b=c/>", "<a b/>",
            "<a b='1' b='2'/>", "<a b='<'/>", "<a>]]></a>", "<a><!-- -- --></a>", "<a>&</a>", "<a>&amp</a>", "< a/>",
            "<1/>", "<a b='1'c='2'/>", "<a/><![CDATA[x]]>", "<a>&#x41</a>", "\u{feff}\u{feff}<a/>",
            "<a/>\u{feff}", "<a / >",
        ])
    func malformed(_ document: String) {
        #expect(refusal(document) == .malformed)
    }

    @Test(
        "Tricks with namespaces are refused",
        arguments: [
            "<p:a/>", "<a p:b='c'/>", "<a xmlns:p='u' xmlns:q='u' p:b='1' q:b='2'/>", "<a xmlns:p=''/>",
            "<a xmlns:xml='u'/>", "<a xmlns:xmlns='u'/>", "<a:b:c xmlns:a='u'/>", "<a xmlns='u' xmlns='v'/>",
            "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
        ])
    func namespaces(_ document: String) {
        #expect(refusal(document) == .malformed)
    }

    @Test("An element of a foreign namespace is never taken for S3's")
    func foreignNamespace() throws {
        let root = try XMLDocument.parse(
            Array("<D xmlns:x='urn:x'><x:Key>evil</x:Key><Key>good</Key><Key xmlns='urn:y'>evil</Key></D>".utf8))
        #expect(root.child("Key")?.text == "good")
        #expect(root.children("Key").count == 1)
        #expect(root.children.count == 3)
    }

    @Test("A comment does not end a text, so that no reader sees another value")
    func commentInText() throws {
        #expect(try XMLDocument.parse(Array("<a>admin<!-- -->.evil</a>".utf8)).text == "admin.evil")
        #expect(try XMLDocument.parse(Array("<a>a<![CDATA[<b>&amp;]]>c</a>".utf8)).text == "a<b>&amp;c")
        #expect(try XMLDocument.parse(Array("<a><![CDATA[]]><!--x--></a>".utf8)).text == "")
    }

    @Test("Text beside elements is refused, and an element twice can be")
    func shapes() throws {
        #expect(refusal("<a>x<b/></a>") == .unexpected)
        #expect(refusal("<a><b/><![CDATA[x]]></a>") == .unexpected)
        let root = try XMLDocument.parse(Array("<a><b>1</b><b>2</b></a>".utf8))
        let error = #expect(throws: XMLError.self) { try root.onlyChild("b") }
        #expect(error?.kind == .unexpected)
        #expect(try root.onlyChild("c") == nil)
    }

    private static let sample = """
        <?xml version="1.0" encoding="UTF-8"?><Delete xmlns="http://s3.amazonaws.com/doc/2006-03-01/">
        <Object a="1" b='&lt;'><Key>x&amp;<![CDATA[y]]><!--z--></Key></Object></Delete>
        """

    @Test("A damaged document is refused or read, and never ends the process", arguments: 0..<8)
    func mutations(_ seed: Int) {
        let document = Array(Self.sample.utf8)
        let pieces = ["<", ">", "&", "\"", "'", "<!--", "<![CDATA[", "]]>", "=", "/", "&#1;", " ", "?>"]
        var state = UInt64(seed) &* 0x9E37_79B9_7F4A_7C15 &+ 1
        func draw(_ bound: Int) -> Int {
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Int(state >> 33) % bound
        }
        var outcomes = (read: 0, refused: 0)
        for _ in 0..<500 {
            var damaged = document
            for _ in 0...draw(3) {
                let place = draw(damaged.count)
                switch draw(4) {
                case 0: damaged[place] = UInt8(draw(256))
                case 1: damaged.remove(at: place)
                case 2: damaged.insert(contentsOf: pieces[draw(pieces.count)].utf8, at: place)
                default: damaged.removeSubrange(place..<min(damaged.count, place + draw(20)))
                }
            }
            do {
                _ = try XMLDocument.parse(damaged)
                outcomes.read += 1
            } catch {
                outcomes.refused += 1
            }
        }
        #expect(outcomes.refused > 100)
        #expect(outcomes.read > 0)
    }
}
