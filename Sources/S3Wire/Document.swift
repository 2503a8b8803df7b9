import Primitives
import S3Model
import XML

/// Reads the XML body of a request.
enum Document {
    /// The root of a document, which must have this name.
    /// - Throws: `MalformedXML`, with what is wrong with it.
    static func parse(_ bytes: [UInt8], root name: String) throws(S3Error) -> XMLElement {
        let root: XMLElement
        do {
            root = try XMLDocument.parse(bytes)
        } catch {
            throw S3Error(.malformedXML, "\(S3Error.Code.malformedXML.message) (\(error))")
        }
        guard root.name.utf8.elementsEqual(name.utf8) else {
            throw S3Error(.malformedXML, "The document must be a \(name) element.")
        }
        return root
    }
}

extension XMLWriter {
    /// A document in S3's namespace.
    static func document(_ name: String, _ content: (inout XMLWriter) -> Void) -> [UInt8] {
        var writer = XMLWriter()
        writer.root(name, content)
        return writer.bytes
    }
}
