package import Primitives

/// The fields of a browser's form before its `file`, as a POST carries them. S3 compares their names without case.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTForms.html>
package struct PostForm: Sendable {
    /// In order; names in lower case and all different.
    package let fields: HeaderFields

    /// - Parameter fields: names of either case, with `${filename}` in values already replaced by the file's name.
    /// - Throws: `InvalidArgument` where a name comes twice, since nobody could say which of the two was checked.
    package init(_ fields: [(name: String, value: String)]) throws(SigningError) {
        var kept = HeaderFields()
        for (name, value) in fields {
            let name = name.lowercased()
            guard !kept.contains(name) else {
                throw .invalidArgument("The form field \(name) is given more than once.", name: name)
            }
            kept.append(name, value)
        }
        self.fields = kept
    }

    package subscript(name: String) -> String? { fields[name] }
}
