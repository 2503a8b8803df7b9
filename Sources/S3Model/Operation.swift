package import Primitives

/// One operation of S3: what goes in, what comes out, and what whoever asks must be allowed to do.
package protocol Operation: SendableMetatype {
    associatedtype Input: Sendable
    associatedtype Output: Sendable

    /// The name, as S3's API reference spells it.
    static var name: String { get }
    /// Whether it changes nothing.
    static var isReadOnly: Bool { get }
    /// Which header fields it looks at of those that several operations share.
    static var headerUse: HeaderUse { get }
    /// What must be allowed, every one of them: one per resource touched.
    static func accesses(of input: Input) -> [RequiredAccess]
}

extension Operation {
    package static var headerUse: HeaderUse { .none }
}

/// An action on a resource that a policy must allow.
package struct RequiredAccess: Sendable, Hashable {
    /// `s3:GetObject` and so on, as the Service Authorization Reference spells it.
    package var action: String
    /// Nil for what concerns the service as a whole.
    package var bucket: String?
    package var key: ObjectKey?
    /// Condition keys of the request (`s3:prefix`), by lower-case name.
    package var context: [String: [String]]
    /// Whether the tags of the object that exists are offered to conditions.
    package var wantsObjectTags: Bool
    /// Which header fields of the request conditions may ask for.
    package var headers: HeaderUse
    /// Whether somebody who is denied, and who may list the key, is told where there is none.
    package var tellsAbsence = false

    package init(
        _ action: String, bucket: String? = nil, key: ObjectKey? = nil, context: [String: [String]] = [:],
        wantsObjectTags: Bool = false, headers: HeaderUse = .none
    ) {
        (self.action, self.bucket, self.key) = (action, bucket, key)
        (self.context, self.wantsObjectTags, self.headers) = (context, wantsObjectTags, headers)
    }
}
