package import Primitives

/// A POST policy: until when a form counts, and what its fields must be.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-HTTPPOSTConstructPolicy.html>
package struct PostPolicyDocument: Sendable, Equatable {
    package enum Condition: Sendable, Equatable {
        case equals(field: String, value: String)
        case startsWith(field: String, prefix: String)
        /// Bounds of the file's length in bytes, both included.
        case contentLengthRange(ClosedRange<Int64>)
    }

    package let expiration: Timestamp
    package let conditions: [Condition]

    /// The largest document, decoded, in bytes.
    static let maximumBytes = 1 << 16

    /// Reads a document.
    ///
    /// - Throws: `InvalidPolicyDocument`.
    package init(_ bytes: [UInt8]) throws(SigningError) {
        guard case .success(let json) = Self.parse(bytes) else { throw .invalidPolicy("Invalid JSON.") }
        guard let document = json.objectValue else { throw .invalidPolicy("Invalid JSON: not an object.") }
        var expiration: Timestamp?
        var conditions: [Condition]?
        for member in document.members {
            switch member.name {
            case "expiration":
                guard let text = member.value.stringValue, let time = Timestamp(iso8601: text) else {
                    throw .invalidPolicy("Invalid 'expiration' value: '\(member.value.stringValue ?? "")'")
                }
                expiration = time
            case "conditions":
                guard let list = member.value.arrayValue else {
                    throw .invalidPolicy("Invalid 'conditions' value: must be a List.")
                }
                conditions = try Self.conditions(list)
            default: throw .invalidPolicy("Unexpected: '\(member.name)'.")
            }
        }
        guard let expiration else { throw .invalidPolicy("Policy missing expiration.") }
        guard let conditions, !conditions.isEmpty else { throw .invalidPolicy("Policy missing conditions.") }
        (self.expiration, self.conditions) = (expiration, conditions)
    }

    private static func parse(_ bytes: [UInt8]) -> Result<JSON, JSONError> {
        Result { () throws(JSONError) in
            try JSON.parse(bytes, limits: JSONLimits(bytes: maximumBytes, depth: 8))
        }
    }

    private static func conditions(_ list: [JSON]) throws(SigningError) -> [Condition] {
        var conditions: [Condition] = []
        for entry in list {
            switch entry {
            case .object(let object):
                for member in object.members {
                    guard let value = member.value.stringValue else { throw .invalidSimpleCondition }
                    conditions.append(.equals(field: member.name.lowercased(), value: value))
                }
                if object.members.count != 1 { throw .invalidSimpleCondition }
            case .array(let parts): conditions.append(try condition(parts))
            default: throw .invalidSimpleCondition
            }
        }
        return conditions
    }

    private static func condition(_ parts: [JSON]) throws(SigningError) -> Condition {
        guard parts.count == 3, let operation = parts[0].stringValue?.lowercased() else {
            throw .invalidPolicy("Invalid 'conditions' value: wrong number of arguments.")
        }
        if operation == "content-length-range" {
            guard let least = integer(parts[1]), let most = integer(parts[2]), least >= 0 else {
                throw .invalidPolicy("Invalid content-length-range value.")
            }
            // A range whose least is above its most admits no file at all.
            guard least <= most else { throw .invalidPolicy("Invalid content-length-range: min is above max.") }
            return .contentLengthRange(least...most)
        }
        guard let reference = parts[1].stringValue, reference.utf8.first == UInt8(ascii: "$"),
            reference.utf8.count > 1, let value = parts[2].stringValue
        else { throw .invalidPolicy("Invalid 'conditions' value: a condition names its field as \"$field\".") }
        let field = String(decoding: reference.utf8.dropFirst(), as: UTF8.self).lowercased()
        switch operation {
        case "eq": return .equals(field: field, value: value)
        case "starts-with": return .startsWith(field: field, prefix: value)
        default: throw .invalidPolicy("Invalid 'conditions' value: unknown operator '\(operation)'.")
        }
    }

    /// A bound, which some clients write as text.
    private static func integer(_ value: JSON) -> Int64? {
        value.integerValue ?? value.stringValue.flatMap { Int64($0) }
    }
}

extension SigningError {
    static func invalidPolicy(_ message: String) -> SigningError {
        SigningError("InvalidPolicyDocument", 400, "Invalid Policy: \(message)")
    }

    fileprivate static var invalidSimpleCondition: SigningError {
        .invalidPolicy("Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.")
    }
}
