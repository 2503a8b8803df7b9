import NIOCore
import Primitives
import XML

extension FuzzTarget {
    /// XML of whatever shape.
    static let xml = FuzzTarget("xml") {
        [
            Example(
                "tree",
                "<a xmlns='u:v' b='1' c:d='2' xmlns:c='u:w'><e>&lt;&#x9;&amp;</e><f/><g><![CDATA[<h>]]></g></a>"),
            Example(
                "declared",
                "\u{feff}<?xml version=\"1.0\" encoding='utf-8' standalone=\"no\"?>\n<a>\n<!-- b --><c>d</c></a>\n"),
            Example("doctype", "<!DOCTYPE a [<!ENTITY b SYSTEM \"file:///etc/passwd\">]><a>&b;</a>"),
            Example("deep", String(repeating: "<a>", count: 9) + String(repeating: "</a>", count: 9)),
            Example("mixed", "<a>b<c/>d</a>"),
        ]
    } run: { bytes in
        guard let root = try XMLShape.parse(bytes) else { return false }
        let shape = XMLShape(root)
        try shape.checkBounds(depth: 1)
        var limits = XMLShape.limits
        limits.bytes = .max
        let again = Result { () throws(XMLError) in try XMLDocument.parse(shape.document, limits: limits) }
        switch again {
        case .success(let root): try require(XMLShape(root) == shape, "a document is read otherwise once written")
        case .failure(let error): throw BrokenProperty(description: "what was written does not parse: \(error)")
        }
        return true
    }
}

/// What of an element is written back: names and text, without namespaces and attributes.
private struct XMLShape: Equatable {
    /// Small ones, so that inputs of some kilobytes reach each of them.
    static let limits = XMLLimits(
        bytes: 1 << 16, depth: 8, elements: 64, attributes: 4, nameBytes: 32, tagBytes: 256)

    private let name: [UInt8]
    private let text: [UInt8]
    private let children: [XMLShape]

    /// The root of a document; nil where it is refused.
    static func parse(_ bytes: [UInt8]) throws -> XMLElement? {
        do {
            let root = try XMLDocument.parse(bytes, limits: limits)
            let ofBuffer = try XMLDocument.parse(ByteBuffer(bytes: bytes), limits: limits)
            try require(ofBuffer == root, "another tree of a buffer")
            return root
        } catch let error as XMLError {
            // What our own scan refuses for its kind, libxml2's callbacks refuse too: each stands for the other.
            if error.kind == .forbidden, bytes.first == UInt8(ascii: "<"), !bytes.starts(with: "<?xml".utf8),
                !bytes.contains(0)
            {
                let events = Result { try LibXML2Parser.events(of: bytes, limits: limits) }
                try require((try? events.get()) == nil, "libxml2 takes what the scan forbids")
            }
            return nil
        }
    }

    init(_ element: XMLElement) {
        name = Array(element.name.utf8)
        text = Array(element.text.utf8)
        children = element.children.map(XMLShape.init)
    }

    /// The document, as our writer writes it.
    var document: [UInt8] {
        var writer = XMLWriter()
        write(to: &writer)
        return writer.bytes
    }

    private func write(to writer: inout XMLWriter) {
        writer.element(String(decoding: name, as: UTF8.self)) { writer in
            writer.text(String(decoding: text, as: UTF8.self))
            for child in children { child.write(to: &writer) }
        }
    }

    func checkBounds(depth: Int) throws {
        try require(depth <= Self.limits.depth, "deeper than the limit")
        try require((1...Self.limits.nameBytes).contains(name.count), "a name above the limit")
        try require(text.isEmpty || children.isEmpty, "text between elements")
        for child in children { try child.checkBounds(depth: depth + 1) }
    }
}
