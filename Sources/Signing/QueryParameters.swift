import Primitives

extension RequestHead {
    /// The parameters of the query, as signatures are made of them.
    ///
    /// - Throws: `InvalidURI` where a `%` is not followed by two digits.
    func parameters() throws(SigningError) -> [QueryParameter] {
        guard let query else { throw .malformedURI }
        return query
    }
}

extension [QueryParameter] {
    /// The one value under a name, as text.
    ///
    /// - Throws: `AuthorizationQueryParametersError` where the name stands there twice or the value is not UTF-8.
    func single(_ name: String) throws(SigningError) -> String? {
        guard let first = firstIndex(named: name) else { return nil }
        guard firstIndex(named: name.utf8.span, from: first + 1) == nil else {
            throw .queryParameters("\(name) is given more than once")
        }
        guard let text = String(validating: self[first].value, as: UTF8.self) else {
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
