/// Builds the tree of elements from the parser's events (see CXML2.h for their form).
struct XMLTreeBuilder {
    private let events: [UInt8]
    private var next = 0
    /// The elements that have begun and not ended, with the text bytes found directly in each.
    private var open: [(element: XMLElement, text: [UInt8])] = []

    static func build(from events: [UInt8]) throws(XMLError) -> XMLElement {
        var builder = XMLTreeBuilder(events: events)
        return try builder.run()
    }

    private init(events: [UInt8]) {
        self.events = events
    }

    private mutating func run() throws(XMLError) -> XMLElement {
        while next < events.count {
            switch try byte() {
            case 1:
                open.append((try element(), []))
            case 2:
                guard !open.isEmpty else { throw garbled }
                let text = try bytes()
                open[open.count - 1].text += text
            default:
                guard let ended = open.popLast() else { throw garbled }
                let element = try finish(ended.element, text: ended.text)
                if open.isEmpty { return element }
                open[open.count - 1].element.children.append(element)
            }
        }
        throw garbled
    }

    /// White space between elements says nothing; other text there has no meaning in any document of S3's.
    private func finish(_ element: XMLElement, text: [UInt8]) throws(XMLError) -> XMLElement {
        var element = element
        if element.children.isEmpty {
            element.text = String(decoding: text, as: UTF8.self)
        } else if !text.allSatisfy({ XMLScan.isSpace($0) }) {
            throw XMLError(.unexpected, "An element holds both text and elements.")
        }
        return element
    }

    private mutating func element() throws(XMLError) -> XMLElement {
        let name = try string()
        let namespace = try string()
        var attributes: [XMLElement.Attribute] = []
        for _ in 0..<(try number()) {
            let attribute = try string()
            let space = try string()
            attributes.append(
                XMLElement.Attribute(name: attribute, namespace: space.isEmpty ? nil : space, value: try string()))
        }
        return XMLElement(
            name: name, namespace: namespace.isEmpty ? nil : namespace, attributes: attributes, children: [],
            text: "")
    }

    private mutating func byte() throws(XMLError) -> UInt8 {
        guard next < events.count else { throw garbled }
        next += 1
        return events[next - 1]
    }

    private mutating func number() throws(XMLError) -> Int {
        var value = 0
        for shift in stride(from: 0, to: 32, by: 8) { value |= Int(try byte()) << shift }
        return value
    }

    private mutating func bytes() throws(XMLError) -> ArraySlice<UInt8> {
        let count = try number()
        guard count <= events.count - next else { throw garbled }
        next += count
        return events[next - count..<next]
    }

    private mutating func string() throws(XMLError) -> String {
        String(decoding: try bytes(), as: UTF8.self)
    }

    /// For events that the C side does not write.
    private var garbled: XMLError { XMLError(.malformed, "The document is not well-formed XML.") }
}
