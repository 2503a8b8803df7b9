package import Primitives

/// What a request of signature version 2 claims. Nothing of it is verified yet.
package struct PresentedSignatureV2: Sendable, Hashable {
    /// When the claim counts.
    package enum Validity: Sendable, Hashable {
        /// Around the time that the request says it was signed at. The text is the header's.
        case around(Timestamp, text: String)
        /// Until so many seconds after 1970, from whenever: a query says not when it was signed.
        case until(Int64)
    }

    package let carrier: PresentedSignature.Carrier
    /// At most 128 bytes of printable ASCII.
    package let accessKeyID: String
    /// As it came. Only one text is right, so that it is not decoded.
    package let signature: String
    package let validity: Validity
    /// The line of what is signed that holds the time: the `Date` header, nothing beside an `x-amz-date` (which is
    /// among the signed headers), or a query's `Expires`.
    package let dateLine: String
    package let securityToken: String?
    /// The parameters of the query whose names begin with `x-amz-`. Version 2 signs them as header fields, and so they
    /// act as header fields.
    package let hoisted: HeaderFields
}

extension RequestHead {
    /// The head with parameters of its query as header fields.
    package func hoisting(_ hoisted: HeaderFields) -> RequestHead {
        var head = self
        for field in hoisted.fields { head.fields[field.name] = field.value }
        return head
    }
}

extension PresentedSignatureV2 {
    /// Whether the text can be the id of an access key.
    static func isAccessKeyID(_ text: some StringProtocol) -> Bool {
        (1...Credential.maximumIDLength).contains(text.utf8.count)
            && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }

    /// The `x-amz-*` parameters of a query.
    ///
    /// A value with a line's end in it could be two signed headers, a header beside the parameter another value: both
    /// would be a request with two meanings, of which one is signed.
    /// - Throws: `InvalidArgument` for a name that is given twice, with another value in a header, or is no header's
    ///   name, and for a value that no header can have.
    static func hoisted(_ query: [QueryItem], head: RequestHead) throws(SigningError) -> HeaderFields {
        var fields = HeaderFields()
        for item in query {
            let name = String(decoding: item.name, as: UTF8.self).lowercased()
            guard name.utf8.starts(with: "x-amz-".utf8) else { continue }
            let value = String(validating: item.value, as: UTF8.self)?.trimmingSpaces
            guard let value, name.utf8.allSatisfy(PresentedSignature.isLowerCaseToken),
                value.utf8.allSatisfy({ $0 == 0x09 || ($0 >= 0x20 && $0 != 0x7F) }), !fields.contains(name),
                head.fields.values(name).allSatisfy({ $0.utf8.elementsEqual(value.utf8) })
            else {
                throw .invalidArgument("The parameter is malformed, or given twice with different values.", name: name)
            }
            fields.append(name, value)
        }
        return fields
    }
}
