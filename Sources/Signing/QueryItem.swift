import Primitives

/// One parameter of a query string, decoded once.
struct QueryItem: Equatable {
    let name: [UInt8]
    let value: [UInt8]

    /// The parameters of a raw query. `+` is a space, as S3 reads it, and empty pieces between two `&` are nothing.
    ///
    /// - Throws: `InvalidURI` where a `%` is not followed by two digits.
    static func parse(_ rawQuery: Substring) throws(SigningError) -> [QueryItem] {
        var items: [QueryItem] = []
        for piece in rawQuery.utf8.split(separator: UInt8(ascii: "&")) {
            let mark = piece.firstIndex(of: UInt8(ascii: "="))
            let nameEnd = mark ?? piece.endIndex
            guard let name = PercentCoding.decode(piece[..<nameEnd], plusIsSpace: true),
                let value = PercentCoding.decode(piece[nameEnd...].dropFirst(), plusIsSpace: true)
            else { throw .malformedURI }
            items.append(QueryItem(name: name, value: value))
        }
        return items
    }

    /// Whether the name has exactly these bytes.
    func isNamed(_ text: String) -> Bool { name.elementsEqual(text.utf8) }
}

extension [QueryItem] {
    /// The one value under a name, as text.
    ///
    /// - Throws: `AuthorizationQueryParametersError` where the name stands there twice or the value is not UTF-8.
    func single(_ name: String) throws(SigningError) -> String? {
        let matches = filter { $0.isNamed(name) }
        guard matches.count <= 1 else { throw .queryParameters("\(name) is given more than once") }
        guard let item = matches.first else { return nil }
        guard let text = String(validating: item.value, as: UTF8.self) else {
            throw .queryParameters("\(name) is not valid UTF-8")
        }
        return text
    }
}

extension SigningError {
    static var malformedURI: SigningError {
        SigningError("InvalidURI", 400, "Couldn't parse the specified URI.")
    }

    static func queryParameters(_ message: String, _ elements: [Element] = []) -> SigningError {
        SigningError("AuthorizationQueryParametersError", 400, message, elements)
    }

    static func headerMalformed(_ message: String, _ elements: [Element] = []) -> SigningError {
        SigningError(
            "AuthorizationHeaderMalformed", 400, "The authorization header is malformed; \(message)", elements)
    }
}
