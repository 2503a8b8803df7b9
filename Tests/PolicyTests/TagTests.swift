import Policy
import Testing

@Suite("Tags whose keys differ in case alone")
struct TagTests {
    private typealias Example = PolicyExample

    /// Effect, condition, whether the statement applies where the key has the values `public` and `secret`.
    private static let cases: [(String, String, Bool)] = [
        ("Deny", #"{"StringEquals":{"s3:ExistingObjectTag/class":"secret"}}"#, true),
        ("Deny", #"{"StringEquals":{"s3:ExistingObjectTag/class":"public"}}"#, true),
        ("Deny", #"{"StringNotEquals":{"s3:ExistingObjectTag/class":"public"}}"#, true),
        ("Deny", #"{"StringNotEquals":{"s3:ExistingObjectTag/class":["public","secret"]}}"#, false),
        ("Deny", #"{"StringLike":{"s3:ExistingObjectTag/Class":"top*"}}"#, false),
        ("Deny", #"{"ForAllValues:StringEquals":{"s3:ExistingObjectTag/class":"secret"}}"#, true),
        ("Deny", #"{"StringEquals":{"s3:prefix":"${s3:ExistingObjectTag/class}"}}"#, true),
        ("Deny", #"{"StringNotEquals":{"s3:prefix":"${s3:ExistingObjectTag/class}"}}"#, true),
        ("Allow", #"{"StringEquals":{"s3:ExistingObjectTag/CLASS":"public"}}"#, false),
        ("Allow", #"{"StringEquals":{"s3:ExistingObjectTag/class":["public","secret"]}}"#, true),
        ("Allow", #"{"StringNotEquals":{"s3:ExistingObjectTag/class":"secret"}}"#, false),
        ("Allow", #"{"StringNotEquals":{"s3:ExistingObjectTag/class":"top"}}"#, true),
        ("Allow", #"{"ForAnyValue:StringEquals":{"s3:ExistingObjectTag/class":"public"}}"#, false),
        ("Allow", #"{"StringEquals":{"s3:prefix":"${s3:ExistingObjectTag/class}"}}"#, false),
        ("Allow", #"{"StringNotEquals":{"s3:prefix":"${s3:ExistingObjectTag/class}"}}"#, false),
    ]

    @Test("deny where any of them would, and allow where all of them would", arguments: cases.indices)
    func conditions(_ index: Int) throws {
        let (effect, condition, expected) = Self.cases[index]
        let policy = try Example.identity(
            #"{"Effect":"\#(effect)","Action":"*","Resource":"*","Condition":\#(condition)}"#)
        for values in [["public", "secret"], ["secret", "public"]] {
            let context = ["s3:existingobjecttag/class": values, "s3:prefix": ["other"]]
            let decision = Example.decision(by: Example.alice, context, identity: [policy])
            #expect((effect == "Deny" ? decision.explicitDeny : decision.allowed) == expected, "\(condition)")
        }
    }

    @Test("are no value of a variable: a denial then applies, an allowance does not")
    func resources() throws {
        let resource = #""arn:aws:s3:::bucket/${s3:RequestObjectTag/team}/*""#
        let all = #"{"Effect":"Allow","Action":"*","Resource":"*"}"#
        let deny = try Example.identity(all, #"{"Effect":"Deny","Action":"*","Resource":\#(resource)}"#)
        let allow = try Example.identity(#"{"Effect":"Allow","Action":"*","Resource":\#(resource)}"#)
        func decision(_ policy: PolicyDocument, _ teams: [String]) -> Decision {
            Example.decision(
                "s3:PutObject", "arn:aws:s3:::bucket/a/key", by: Example.alice, ["s3:requestobjecttag/team": teams],
                identity: [policy])
        }
        #expect(decision(deny, ["a", "b"]).explicitDeny && decision(deny, ["a"]).explicitDeny)
        #expect(decision(deny, ["b"]).allowed && decision(deny, []).allowed)
        #expect(!decision(allow, ["a", "b"]).allowed && decision(allow, ["a"]).allowed)
    }
}
