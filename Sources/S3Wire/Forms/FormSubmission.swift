package import Primitives
package import S3Model

extension WireRequest {
    /// The request that a form makes: its fields say of the object what header fields say of a PUT's, and the header
    /// fields of the POST itself say nothing of it.
    ///
    /// - Parameter form: the fields before the file, by lower-case name, each once; verified, where somebody signed.
    /// - Throws: `AccessDenied` for a field `bucket` that names another bucket than the URL (CVE-2023-43040,
    ///   CVE-2023-28434), `InvalidArgument` for a form without a key or with fields that cannot be obeyed,
    ///   `KeyTooLongError`.
    package func submitting(_ form: HeaderFields) throws(S3Error) -> WireRequest {
        if let claimed = form["bucket"], let bucket, !claimed.utf8.elementsEqual(bucket.utf8) {
            throw S3Error(.accessDenied, "The form names another bucket than the one it is sent to.")
        }
        var request = self
        request.form = form
        request.key = try FormSubmission.key(form)
        request.fields = try FormSubmission.headerFields(form)
        // This header asks for a refusal and for nothing else, so that it counts wherever it stands.
        for owner in fields.values(FormSubmission.expectedOwner) {
            request.fields.append(FormSubmission.expectedOwner, owner)
        }
        return request
    }
}

/// What the fields of a form stand for.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/RESTObjectPOST.html>
enum FormSubmission {
    static let expectedOwner = "x-amz-expected-bucket-owner"

    /// Fields that mean what the header field of their name means to a PUT.
    private static let headers: Set<String> =
        Set(AttributeDecoding.systemHeaders)
        .union(ChecksumDecoding.lengths.keys.map(ChecksumDecoding.headerName))
        .union(UnservedHeaders.names).union(AccessControlDecoding.grants)
        .union([
            "content-md5", "x-amz-acl", "x-amz-storage-class", "x-amz-checksum-algorithm",
            "x-amz-sdk-checksum-algorithm", "x-amz-checksum-type",
        ])

    /// Fields that say who signed the form.
    private static let signing: Set<String> = [
        "x-amz-algorithm", "x-amz-credential", "x-amz-date", "x-amz-signature", "x-amz-security-token",
    ]

    static func key(_ form: HeaderFields) throws(S3Error) -> ObjectKey {
        guard let text = form["key"] else {
            throw invalid(
                "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the "
                    + "fields.", name: "key", value: "")
        }
        guard !text.isEmpty else {
            throw invalid("User key must have a length greater than 0.", name: "key", value: "")
        }
        guard let key = ObjectKey(text) else {
            throw S3Error(
                .keyTooLong,
                details: [
                    S3Error.Detail("Size", String(text.utf8.count)),
                    S3Error.Detail("MaxSizeAllowed", String(ObjectKey.maximumLength)),
                ])
        }
        return key
    }

    /// The header fields that a PUT would carry.
    ///
    /// A field `x-amz-…` that is none of S3's is refused rather than ignored, since whoever sends it believes that it
    /// does something (SeaweedFS bfea14320); other fields are a page's own.
    static func headerFields(_ form: HeaderFields) throws(S3Error) -> HeaderFields {
        var fields = HeaderFields()
        for field in form.fields {
            let name = field.name.utf8.elementsEqual("acl".utf8) ? "x-amz-acl" : field.name
            guard headers.contains(name) || name.utf8.starts(with: "x-amz-meta-".utf8) else {
                guard !name.utf8.starts(with: "x-amz-".utf8) || signing.contains(name) else {
                    throw invalid("The form field \(name) is none that POST Object has.", name: name)
                }
                continue
            }
            guard !fields.contains(name) else {
                throw invalid("The form says twice what \(name) is.", name: name)
            }
            fields.append(name, try headerValue(field, name))
        }
        return fields
    }

    /// A value that answers will carry in a header field: it must not end that field (CVE-2015-5245).
    private static func headerValue(_ field: HeaderFields.Field, _ name: String) throws(S3Error) -> String {
        guard name.utf8.allSatisfy(TokenBytes.isToken) else {
            throw invalid("The form field \(name) cannot be the name of a header field.", name: name)
        }
        guard field.value.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F || $0 == 0x09 }) else {
            throw invalid("The form field \(name) holds a control character.", name: name)
        }
        return field.value.trimmingSpaces
    }

    private static func invalid(_ message: String, name: String, value: String? = nil) -> S3Error {
        S3Error(
            .invalidArgument, message,
            details: [S3Error.Detail("ArgumentName", name)]
                + (value.map { [S3Error.Detail("ArgumentValue", $0)] } ?? []))
    }
}
