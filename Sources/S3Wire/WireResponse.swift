package import Primitives

/// An answer before it meets a connection.
package struct WireResponse: Sendable {
    package var status: Int
    package var fields: HeaderFields
    /// The body of an answer that is whole; objects are streamed instead.
    package var body: [UInt8]

    package init(status: Int = 200, fields: HeaderFields = HeaderFields(), body: [UInt8] = []) {
        (self.status, self.fields, self.body) = (status, fields, body)
    }

    /// An answer with an XML document.
    package init(status: Int = 200, fields: HeaderFields = HeaderFields(), xml: [UInt8]) {
        self.init(status: status, fields: fields, body: xml)
        self.fields["content-type"] = "application/xml"
    }
}
