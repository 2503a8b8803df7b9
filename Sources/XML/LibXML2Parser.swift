import CXML2

/// The parser of the C side: from the bytes of a document to the bytes of its events (see CXML2.h for their form).
package enum LibXML2Parser {
    /// The events of a document. It is `XMLDocument` that calls this, after its own scan; by itself it refuses the
    /// same things, but spends what time libxml2 spends.
    ///
    /// - Throws: `XMLError`, as `XMLDocument.parse`.
    package static func events(of bytes: [UInt8], limits: XMLLimits) throws(XMLError) -> [UInt8] {
        let limits = tg_xml_limits(
            depth: limits.depth, elements: limits.elements, attributes: limits.attributes,
            name_bytes: limits.nameBytes)
        // The array lives for the length of the call, and the C side keeps no pointer to it.
        guard let outcome = unsafe Outcome(tg_xml_parse(bytes, bytes.count, limits)) else {
            throw XMLError(.unavailable, "There is no memory to parse the document.")
        }
        if let error = outcome.error { throw error }
        return outcome.events
    }

    /// What became of a document: owns the C handle.
    @safe
    private struct Outcome: ~Copyable {
        private let handle: OpaquePointer

        init?(_ handle: OpaquePointer?) {
            guard let handle = unsafe handle else { return nil }
            // The handle is this value's alone until `deinit`: nothing copies it, since the structure cannot be copied.
            unsafe self.handle = handle
        }

        deinit {
            // Nobody else has the handle, and `deinit` runs once.
            unsafe tg_xml_outcome_destroy(handle)
        }

        /// A copy of the events.
        var events: [UInt8] {
            var count = 0
            // The C side keeps `count` bytes there until the handle is destroyed, which `self` outlives.
            guard let start = unsafe tg_xml_outcome_events(handle, &count) else { return [] }
            return unsafe [UInt8](UnsafeBufferPointer(start: start, count: count))
        }

        /// Nil for an accepted document.
        var error: XMLError? {
            // The handle is valid as long as this value is; the numbers are copied.
            let verdict = unsafe tg_xml_outcome_verdict(handle)
            let code = unsafe tg_xml_outcome_code(handle)
            let line = unsafe max(1, Int(tg_xml_outcome_line(handle)))
            let column = unsafe max(1, Int(tg_xml_outcome_column(handle)))
            let (kind, message): (XMLError.Kind, String) =
                switch verdict {
                case 0: (.malformed, "")
                case 2: (.forbidden, "Document type declarations are not accepted.")
                case 3: (.forbidden, "Processing instructions are not accepted.")
                case 4: (.limitExceeded, "The document exceeds a limit.")
                case 5: (.unavailable, "There is no memory to parse the document.")
                default: (.malformed, Self.sentence(code))
                }
            return verdict == 0 ? nil : XMLError(kind, message, line: line, column: column)
        }

        /// What the more common of libxml2's error numbers mean.
        private static func sentence(_ code: Int32) -> String {
            switch code {
            case 4: "The document is empty."
            case 5: "Something stands after the document's end."
            case 6, 7, 8: "A character reference is not right."
            case 9: "A character stands there that XML does not allow."
            case 26: "An entity is used that XML does not define."
            case 38, 39, 40: "An attribute's value is not right."
            case 42: "An attribute stands twice in one element."
            case 65, 66, 68: "White space, a quote or a name is missing."
            case 73, 74, 76, 77: "A start tag and an end tag do not match."
            case 200...205: "A namespace is not right."
            default: "The document is not well-formed XML (number \(code) of libxml2's errors)."
            }
        }
    }
}
