import Policy
import Primitives

/// Short ways to write policies and accesses for tests.
enum PolicyExample {
    static let now = Timestamp(seconds: 1_773_500_966)
    static let alice = Principal.user("alice", account: "111122223333", canonicalUserID: "canon-1")
    static let root = Principal.root(account: "111122223333", canonicalUserID: "canon-1")
    static let stranger = Principal.user("mallory", account: "444455556666", canonicalUserID: "canon-4")

    static func identity(_ statements: String...) throws -> PolicyDocument {
        try parse(statements.joined(separator: ","), kind: .identity)
    }

    static func bucket(_ statements: String...) throws -> PolicyDocument {
        try parse(statements.joined(separator: ","), kind: .bucket("bucket"))
    }

    /// A bucket's policy as it may have been stored once, whatever it names.
    static func stored(_ statement: String) throws -> PolicyDocument {
        try PolicyDocument.parse(
            stored: Array(#"{"Version":"2012-10-17","Statement":[\#(statement)]}"#.utf8), bucket: "bucket")
    }

    static func parse(_ statements: String, kind: PolicyDocument.Kind) throws -> PolicyDocument {
        try PolicyDocument.parse(Array(#"{"Version":"2012-10-17","Statement":[\#(statements)]}"#.utf8), kind: kind)
    }

    /// Whether getting an object is allowed, under one policy of the bucket or of the user.
    static func decision(
        _ action: String = "s3:GetObject", _ resource: String = "arn:aws:s3:::bucket/key",
        by principal: Principal = alice,
        _ context: [String: [String]] = [:], identity: [PolicyDocument] = [], bucket: PolicyDocument? = nil
    ) -> Decision {
        decide(
            Access(action: action, resource: resource, context: context), by: principal, at: now,
            under: PolicySet(identity: identity, resource: bucket))
    }

    /// Whether a statement with this condition block matches, both when it allows and when it denies.
    static func holds(_ condition: String, _ context: [String: [String]]) throws -> Bool {
        func statement(_ effect: String) -> String {
            #"{"Effect":"\#(effect)","Action":"*","Resource":"*","Condition":\#(condition)}"#
        }
        let allowed = decision(by: alice, context, identity: [try identity(statement("Allow"))]).allowed
        let denied = decision(by: alice, context, identity: [try identity(statement("Deny"))]).explicitDeny
        guard allowed == denied else { throw Disagreement() }
        return allowed
    }

    struct Disagreement: Error {}
}
