/// The head of a request as it came: nothing decoded yet, framing headers already obeyed by the codec.
package struct RequestHead: Sendable, Hashable {
    /// The method, an upper-case token such as `GET`.
    package var method: String
    /// The request target in origin form, as sent: path, and query after the first `?`. Always begins with `/`.
    package var target: String {
        didSet { query = QueryParameter.parse(rawQuery) }
    }
    /// Header fields, `host` among them exactly once.
    package var fields: HeaderFields
    /// The parameters of the query; nil where it does not decode. Everything that reads the query reads these, so that
    /// it has one meaning.
    package private(set) var query: [QueryParameter]?

    package init(method: String, target: String, fields: HeaderFields) {
        (self.method, self.target, self.fields) = (method, target, fields)
        query = QueryParameter.parse(rawQuery)
    }

    /// The undecoded path: what stands before the first `?`.
    package var rawPath: Substring {
        // By bytes: a character would be looked for with what may combine with it.
        target[..<(target.utf8.firstIndex(of: UInt8(ascii: "?")) ?? target.endIndex)]
    }

    /// The undecoded query: what stands after the first `?`, or empty.
    package var rawQuery: Substring {
        guard let mark = target.utf8.firstIndex(of: UInt8(ascii: "?")) else { return "" }
        return target[target.utf8.index(after: mark)...]
    }
}

/// The head of an answer. The server adds `date`, framing and connection fields.
package struct ResponseHead: Sendable, Hashable {
    /// The status code, 100 to 599.
    package var status: Int
    package var fields: HeaderFields

    package init(status: Int, fields: HeaderFields = HeaderFields()) {
        (self.status, self.fields) = (status, fields)
    }
}
