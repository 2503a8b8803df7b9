package import NIOCore

/// Reads documents that anybody may have sent.
///
/// A scan of our own refuses what is dangerous before libxml2 sees a byte: document type declarations and with them
/// every entity, processing instructions, encodings other than UTF-8, and all that exceeds the limits. The callbacks
/// of libxml2 refuse the same things once more. Debian 12's libxml2 (2.9.14) has no switch of its own for this.
package enum XMLDocument {
    /// The root element of a document.
    ///
    /// - Throws: `XMLError`, see its kinds. S3 answers all of them but `unavailable` with `MalformedXML`.
    package static func parse(
        _ bytes: [UInt8], limits: XMLLimits = XMLLimits()
    ) throws(XMLError) -> XMLElement {
        guard bytes.count <= limits.bytes else {
            throw XMLError(.limitExceeded, "The document has more than \(limits.bytes) bytes.")
        }
        var bytes = bytes
        let declaration = try XMLDeclaration.read(bytes)
        // Spaces instead of the byte order mark and the declaration, so that every position stays where it was.
        for index in 0..<declaration.length where bytes[index] != UInt8(ascii: "\n") {
            bytes[index] = UInt8(ascii: " ")
        }
        var scan = XMLScan(bytes, limits: limits)
        try scan.run()
        return try XMLTreeBuilder.build(from: LibXML2Parser.events(of: bytes, limits: limits))
    }

    /// The root element of the document in the readable bytes; throws as for an array.
    package static func parse(
        _ buffer: ByteBuffer, limits: XMLLimits = XMLLimits()
    ) throws(XMLError) -> XMLElement {
        guard buffer.readableBytes <= limits.bytes else {
            throw XMLError(.limitExceeded, "The document has more than \(limits.bytes) bytes.")
        }
        return try parse([UInt8](buffer.readableBytesView), limits: limits)
    }
}
