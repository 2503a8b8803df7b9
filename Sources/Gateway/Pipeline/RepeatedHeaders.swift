import Primitives
import S3Model

/// Refuses a header field that says one thing twice.
///
/// A signature covers all values of a name, while a policy and an operation take one: of two minds, a request could be
/// allowed for the one and served for the other.
enum RepeatedHeaders {
    /// Fields that are lists, which may come in several pieces (RFC 9110 §5.3), as user metadata may.
    private static let lists: Set<String> = ["x-amz-object-attributes", "x-amz-optional-object-attributes"]

    /// - Throws: `InvalidArgument`.
    static func check(_ fields: HeaderFields) throws(S3Error) {
        let all = fields.fields
        for (index, field) in all.enumerated() where field.name.utf8.starts(with: "x-amz-".utf8) {
            guard all[..<index].contains(where: { $0.name == field.name }), !isList(field.name) else { continue }
            throw S3Error(
                .invalidArgument, "The header \(field.name) is given more than once.",
                details: [S3Error.Detail("ArgumentName", field.name)])
        }
    }

    private static func isList(_ name: String) -> Bool {
        lists.contains(name) || name.utf8.starts(with: "x-amz-meta-".utf8)
    }
}
