package import Primitives

/// The four conditional headers of a read, and the two of a write (RFC 9110 §13.1).
package struct Preconditions: Sendable, Hashable {
    /// Entity tags without quotes; `*` stands for any.
    package var ifMatch: [String]?
    package var ifNoneMatch: [String]?
    package var ifModifiedSince: Timestamp?
    package var ifUnmodifiedSince: Timestamp?

    package init(
        ifMatch: [String]? = nil, ifNoneMatch: [String]? = nil, ifModifiedSince: Timestamp? = nil,
        ifUnmodifiedSince: Timestamp? = nil
    ) {
        (self.ifMatch, self.ifNoneMatch) = (ifMatch, ifNoneMatch)
        (self.ifModifiedSince, self.ifUnmodifiedSince) = (ifModifiedSince, ifUnmodifiedSince)
    }

    package var isEmpty: Bool {
        ifMatch == nil && ifNoneMatch == nil && ifModifiedSince == nil && ifUnmodifiedSince == nil
    }

    /// What policies may ask of a conditional write. Only an operation that honours the conditions offers it, so that a
    /// header that has no effect satisfies no policy; nor does an `If-None-Match` that names tags, since a made-up tag
    /// spares nothing, and policies that demand the header mean that nothing is overwritten.
    var policyContext: [String: [String]] {
        var context: [String: [String]] = [:]
        if let ifMatch { context["s3:if-match"] = [ifMatch.joined(separator: ",")] }
        if let ifNoneMatch, Self.meansAny(ifNoneMatch) { context["s3:if-none-match"] = ["*"] }
        return context
    }

    /// What a read of an object with this tag and time comes to.
    package enum Outcome: Sendable, Hashable {
        case proceed
        case notModified
        case failed(condition: String)
    }

    /// Evaluates in the order of RFC 9110 §13.2.2, where a tag overrules the date of its kind.
    package func evaluate(etag: String, modified: Timestamp) -> Outcome {
        if let ifMatch {
            if !Self.matches(ifMatch, etag) { return .failed(condition: "If-Match") }
        } else if let ifUnmodifiedSince, modified.seconds > ifUnmodifiedSince.seconds {
            return .failed(condition: "If-Unmodified-Since")
        }
        if let ifNoneMatch {
            if Self.matches(ifNoneMatch, etag) { return .notModified }
        } else if let ifModifiedSince, modified.seconds <= ifModifiedSince.seconds {
            return .notModified
        }
        return .proceed
    }

    /// Whether the outcome of a write under these conditions tells something of the tag of what is there.
    var namesTags: Bool { ifMatch != nil || ifNoneMatch.map(Self.meansAny) == false }

    private static func meansAny(_ tags: [String]) -> Bool { tags.contains { $0.utf8.elementsEqual("*".utf8) } }

    package static func matches(_ tags: [String], _ etag: String) -> Bool {
        meansAny(tags) || tags.contains { $0.utf8.elementsEqual(etag.utf8) }
    }
}
