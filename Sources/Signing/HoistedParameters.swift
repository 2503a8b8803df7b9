package import Primitives

/// Parameters of a query whose names begin with `x-amz-`, which act as header fields since they are signed with it.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html>,
/// <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTAuthentication.html>
enum HoistedParameters {
    /// What a presigned URL of version 4 says of its own signature, and what its payload is.
    private static let version4 = [
        "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-expires", "x-amz-signedheaders", "x-amz-signature",
        "x-amz-security-token", PayloadMode.headerName,
    ]

    /// Of a URL of version 2: every one.
    ///
    /// - Throws: as `fields(_:head:except:)`.
    static func ofVersion2(_ query: [QueryParameter], head: RequestHead) throws(SigningError) -> HeaderFields {
        try fields(query, head: head)
    }

    /// Of a presigned URL of version 4: all but the signature's own, and the checksums, which S3 ignores there: an SDK
    /// that signs without a body writes down the checksum of none.
    ///
    /// - Throws: as `fields(_:head:except:)`.
    static func ofVersion4(_ query: [QueryParameter], head: RequestHead) throws(SigningError) -> HeaderFields {
        let others = query.filter { parameter in !version4.contains { isNamed(parameter, $0) } }
        return try fields(others, head: head, except: isChecksum)
    }

    /// Whether a parameter has a lower-case name, in whatever case.
    private static func isNamed(_ parameter: QueryParameter, _ name: String) -> Bool {
        parameter.name.count == name.utf8.count
            && parameter.name.elementsEqual(name.utf8) { $0 == $1 || (0x41...0x5A).contains($0) && $0 | 0x20 == $1 }
    }

    private static func isChecksum(_ name: String) -> Bool {
        let settings = ["x-amz-checksum-mode", "x-amz-checksum-algorithm", "x-amz-checksum-type"]
        return name.utf8.elementsEqual("x-amz-sdk-checksum-algorithm".utf8)
            || name.utf8.starts(with: "x-amz-checksum-".utf8) && !settings.contains(name)
    }

    /// A value with a line's end in it could be two signed headers, a header beside the parameter another value: both
    /// would be a request with two meanings, of which one is signed.
    ///
    /// - Throws: `InvalidArgument` for a name that is given twice, with another value in a header, or is no header's
    ///   name, and for a value that no header can have.
    private static func fields(
        _ query: [QueryParameter], head: RequestHead, except isLeftOut: (String) -> Bool = { _ in false }
    ) throws(SigningError) -> HeaderFields {
        var fields = HeaderFields()
        for item in query {
            let name = String(decoding: item.name, as: UTF8.self).lowercased()
            guard name.utf8.starts(with: "x-amz-".utf8), !isLeftOut(name) else { continue }
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

extension RequestHead {
    /// The head with parameters of its query as header fields.
    package func hoisting(_ hoisted: HeaderFields) -> RequestHead {
        var head = self
        for field in hoisted.fields { head.fields[field.name] = field.value }
        return head
    }
}
