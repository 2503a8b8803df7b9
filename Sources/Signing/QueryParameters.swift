import Primitives

extension [QueryParameter] {
    /// The parameters of a raw query, as signatures are made of them.
    ///
    /// - Throws: `InvalidURI` where a `%` is not followed by two digits.
    static func parsed(_ rawQuery: Substring) throws(SigningError) -> [QueryParameter] {
        guard let parameters = QueryParameter.parse(rawQuery) else { throw .malformedURI }
        return parameters
    }

    /// The one value under a name, as text.
    ///
    /// - Throws: `AuthorizationQueryParametersError` where the name stands there twice or the value is not UTF-8.
    func single(_ name: String) throws(SigningError) -> String? {
        guard let first = firstIndex(where: { $0.isNamed(name) }) else { return nil }
        guard !self[(first + 1)...].contains(where: { $0.isNamed(name) }) else {
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
