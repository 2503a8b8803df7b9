import Primitives
package import S3Model
import XML

/// Reads tags, from a header or a document, by S3's rules for them.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-tagging.html>
package enum TagDecoding {
    /// `key=value&key=value`, as a form is encoded.
    package static func header(_ value: String) throws(S3Error) -> [Tag] {
        var tags: [Tag] = []
        for part in value.utf8.split(separator: UInt8(ascii: "&")) {
            let equals = part.firstIndex(of: UInt8(ascii: "=")) ?? part.endIndex
            guard let key = text(part[..<equals]), let value = text(part[equals...].dropFirst()), !key.isEmpty else {
                throw malformedHeader
            }
            tags.append(Tag(key: key, value: value))
        }
        guard Set(tags.map { Array($0.key.utf8) }).count == tags.count else { throw malformedHeader }
        return try checked(tags, limit: ServiceLimits.tagsOfAnObject)
    }

    private static var malformedHeader: S3Error {
        S3Error(
            .invalidArgument,
            "The header 'x-amz-tagging' shall be encoded as UTF-8 then URLEncoded URL query parameters "
                + "without tag name duplicates.",
            details: [S3Error.Detail("ArgumentName", "x-amz-tagging")])
    }

    /// A `Tagging` document.
    package static func document(_ bytes: [UInt8], limit: Int) throws(S3Error) -> [Tag] {
        let root = try Document.parse(bytes, root: "Tagging")
        guard let set = root.child("TagSet") else { throw S3Error(.malformedXML) }
        var tags: [Tag] = []
        for element in set.children("Tag") {
            guard let key = element.child("Key")?.text, let value = element.child("Value")?.text else {
                throw S3Error(.malformedXML)
            }
            tags.append(Tag(key: key, value: value))
        }
        guard Set(tags.map { Array($0.key.utf8) }).count == tags.count else {
            throw S3Error(.invalidTag, "Cannot provide multiple Tags with the same key")
        }
        return try checked(tags, limit: limit)
    }

    /// The tags in the order of their keys, which is how they are listed.
    private static func checked(_ tags: [Tag], limit: Int) throws(S3Error) -> [Tag] {
        guard tags.count <= limit else {
            throw limit == ServiceLimits.tagsOfAnObject
                ? S3Error(.badRequest, "Object tags cannot be greater than \(limit)")
                : S3Error(.badRequest, "Bucket tag count cannot be greater than \(limit)")
        }
        for tag in tags {
            guard (1...128).contains(tag.key.unicodeScalars.count), tag.key.unicodeScalars.allSatisfy(isAllowed) else {
                throw S3Error(
                    .invalidTag, "The TagKey you have provided is invalid", details: [S3Error.Detail("TagKey", tag.key)]
                )
            }
            guard tag.value.unicodeScalars.count <= 256, tag.value.unicodeScalars.allSatisfy(isAllowed) else {
                throw S3Error(
                    .invalidTag, "The TagValue you have provided is invalid",
                    details: [S3Error.Detail("TagValue", tag.value)])
            }
            guard !tag.key.utf8.starts(with: "aws:".utf8) else {
                throw S3Error(.invalidTag, "Your TagKey cannot be prefixed with aws:")
            }
        }
        return tags.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
    }

    /// Letters, digits and spaces of every script, and a few signs.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter, .decimalNumber,
            .letterNumber, .otherNumber, .spaceSeparator, .lineSeparator, .paragraphSeparator:
            return true
        default: return "+-=._:/@".unicodeScalars.contains(scalar)
        }
    }

    private static func text(_ raw: Substring.UTF8View) -> String? {
        PercentCoding.decode(raw, plusIsSpace: true).flatMap { String(validating: $0, as: UTF8.self) }
    }
}
