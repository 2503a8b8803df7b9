import Policy
import Primitives
import Testing

@Suite("Decisions")
struct DecisionTests {
    private typealias Example = PolicyExample
    private let allow = #"{"Sid":"A","Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}"#
    private let deny = #"{"Sid":"D","Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::bucket/key"}"#
    private let allowAll =
        #"{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}"#
    private let denyAll =
        #"{"Sid":"N","Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"}"#

    @Test("Nothing that matches is a denial; SeaweedFS 66d9b89cd: a user without policies may do nothing")
    func nothing() throws {
        let nothing = Decision(allowed: false, explicitDeny: false, reasons: [])
        #expect(Example.decision() == nothing)
        #expect(Example.decision(by: .anonymous) == nothing)
        let other = try Example.identity(allow)
        #expect(Example.decision("s3:PutObject", identity: [other]) == nothing)
        #expect(Example.decision("s3:GetObject", "arn:aws:s3:::bucket", identity: [other]) == nothing)
        #expect(Example.decision("s3:GetObject", "arn:aws:s3:::bucket2/key", identity: [other]) == nothing)
    }

    @Test("Either side's allowance suffices, and says which statement it was")
    func either() throws {
        let identity = try Example.identity(allow)
        #expect(Example.decision(identity: [identity]).reasons == ["identity:A"])
        #expect(Example.decision(bucket: try Example.bucket(allowAll)).reasons == ["bucket:#1"])
        #expect(Example.decision(identity: [identity]).allowed)
        #expect(Example.decision(by: .anonymous, bucket: try Example.bucket(allowAll)).allowed)
        #expect(!Example.decision(by: .anonymous, identity: [identity]).allowed)
    }

    @Test("versitygw ed1ad6b6: a denial beats every allowance, a public one too")
    func denial() throws {
        for policies in [
            [try Example.identity(allow, deny)], [try Example.identity(deny), try Example.identity(allow)],
        ] {
            let decision = Example.decision(identity: policies)
            #expect(decision == Decision(allowed: false, explicitDeny: true, reasons: ["identity:D"]))
        }
        let bucket = try Example.bucket(allowAll, denyAll)
        for principal in [Example.alice, Example.root, .anonymous, Example.stranger] {
            let decision = Example.decision(by: principal, identity: [try Example.identity(allow)], bucket: bucket)
            #expect(decision == Decision(allowed: false, explicitDeny: true, reasons: ["bucket:N"]))
        }
    }

    @Test("CVE-2023-25812: a denial of s3:BypassGovernanceRetention counts")
    func bypass() throws {
        let policy = try Example.identity(
            #"{"Effect":"Allow","Action":"s3:*","Resource":"*"}"#,
            #"{"Effect":"Deny","Action":"s3:BypassGovernanceRetention","Resource":"*"}"#)
        #expect(Example.decision("s3:BypassGovernanceRetention", identity: [policy]).explicitDeny)
        #expect(Example.decision("s3:DeleteObjectVersion", identity: [policy]).allowed)
    }

    @Test("The owner may do everything that nobody denies, and can always mend the bucket's policy")
    func owner() throws {
        #expect(Example.decision("s3:DeleteBucket", by: Example.root).reasons == ["owner"])
        let lockout = try Example.bucket(
            #"{"Effect":"Deny","Principal":"*","Action":"*","#
                + #""Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/*"]}"#
        )
        let bucket = "arn:aws:s3:::bucket"
        #expect(Example.decision("s3:DeleteBucket", bucket, by: Example.root, bucket: lockout).explicitDeny)
        for action in ["s3:PutBucketPolicy", "s3:GetBucketPolicy", "s3:DeleteBucketPolicy"] {
            #expect(Example.decision(action, bucket, by: Example.root, bucket: lockout).allowed)
            #expect(Example.decision(action, bucket, by: Example.alice, bucket: lockout).explicitDeny)
            #expect(!Example.decision(action, bucket, by: Example.root.withoutOwnership, bucket: lockout).allowed)
        }
        #expect(!Example.decision(by: Example.root.withoutOwnership).allowed)
    }

    @Test(
        "Principals are matched as AWS does",
        arguments: [
            (#""*""#, [true, true, true, true]), (#"{"AWS":"*"}"#, [true, true, true, true]),
            (#"{"AWS":"arn:aws:iam::111122223333:user/alice"}"#, [true, false, false, false]),
            (
                #"{"AWS":["arn:aws:iam::111122223333:user/bob","arn:aws:iam::111122223333:user/ALICE"]}"#,
                [false, false, false, false]
            ),
            (#"{"AWS":"444455556666"}"#, [false, true, true, false]),
            (#"{"AWS":"arn:aws:iam::444455556666:root"}"#, [false, true, true, false]),
            (#"{"AWS":"111122223333"}"#, [false, false, false, false]),
            (#"{"CanonicalUser":"canon-4"}"#, [false, true, true, false]),
            (#"{"Service":"s3.amazonaws.com"}"#, [false, false, false, false]),
        ])
    func principals(_ element: String, _ expected: [Bool]) throws {
        let policy = try Example.bucket(
            #"{"Effect":"Allow","Principal":\#(element),"Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}"#)
        let foreignRoot = Principal.root(account: "444455556666", canonicalUserID: "canon-4").withoutOwnership
        let principals = [Example.alice, Example.stranger.withoutOwnership, foreignRoot, .anonymous]
        #expect(principals.map { Example.decision(by: $0, bucket: policy).allowed } == expected)
    }

    @Test("NotPrincipal denies everybody else, anonymous callers too")
    func notPrincipal() throws {
        let policy = try Example.bucket(
            allowAll,
            #"{"Effect":"Deny","NotPrincipal":{"AWS":["arn:aws:iam::111122223333:user/alice"]},"#
                + #""Action":"s3:*","Resource":"arn:aws:s3:::bucket/*"}"#
        )
        #expect(Example.decision(by: Example.alice, bucket: policy).allowed)
        for principal in [Example.stranger, Example.root, .anonymous] {
            #expect(Example.decision(by: principal, bucket: policy).explicitDeny)
        }
    }

    @Test("NotAction and NotResource are all but what they name")
    func negatedElements() throws {
        let policy = try Example.identity(
            #"{"Effect":"Allow","NotAction":["s3:Delete*","iam:*"],"NotResource":"arn:aws:s3:::secret*"}"#)
        #expect(Example.decision("s3:GetObject", identity: [policy]).allowed)
        #expect(!Example.decision("S3:deleteobject", identity: [policy]).allowed)
        #expect(!Example.decision("s3:GetObject", "arn:aws:s3:::secrets/key", identity: [policy]).allowed)
    }

    @Test("Actions have no case, resources have, and are bytes")
    func cases() throws {
        let policy = try Example.identity(
            #"{"Effect":"Allow","Action":"S3:gET*","Resource":"arn:aws:s3:::bucket/\u00e9?"}"#)
        #expect(Example.decision("s3:GetObject", "arn:aws:s3:::bucket/\u{E9}x", identity: [policy]).allowed)
        #expect(!Example.decision("s3:GetObject", "arn:aws:s3:::bucket/e\u{301}x", identity: [policy]).allowed)
        #expect(!Example.decision("s3:GetObject", "arn:aws:s3:::BUCKET/\u{E9}x", identity: [policy]).allowed)
        #expect(!Example.decision("s3:GetObject", "arn:aws:s3:::bucket/\u{E9}", identity: [policy]).allowed)
    }

    @Test("Variables stand for their values, in which nothing is a wildcard")
    func variables() throws {
        let policy = try Example.identity(
            #"{"Effect":"Allow","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/${aws:username}/*"}"#)
        func allowed(_ key: String, _ principal: Principal) -> Bool {
            Example.decision("s3:GetObject", "arn:aws:s3:::bucket/\(key)", by: principal, identity: [policy]).allowed
        }
        #expect(allowed("alice/a", Example.alice))
        #expect(!allowed("bob/a", Example.alice))
        let star = Principal.user("*", account: "111122223333")
        #expect(allowed("*/a", star))
        #expect(!allowed("bob/a", star))
        let old = try PolicyDocument.parse(
            Array(
                #"{"Statement":{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::bucket/${aws:username}/*"}}"#
                    .utf8),
            kind: .identity)
        #expect(Example.decision("s3:GetObject", "arn:aws:s3:::bucket/${aws:username}/a", identity: [old]).allowed)
        #expect(!Example.decision("s3:GetObject", "arn:aws:s3:::bucket/alice/a", identity: [old]).allowed)
    }

    @Test("A variable without value lets nothing be allowed, and no denial that does not need it pass")
    func unknownVariables() throws {
        let resource = #""arn:aws:s3:::bucket/${s3:prefix}/*""#
        let allowNot = try Example.identity(#"{"Effect":"Allow","Action":"*","NotResource":\#(resource)}"#)
        #expect(!Example.decision(identity: [allowNot]).allowed)
        #expect(Example.decision("s3:GetObject", by: Example.alice, ["s3:prefix": ["p"]], identity: [allowNot]).allowed)
        let all = #"{"Effect":"Allow","Action":"*","Resource":"*"}"#
        let denyNot = try Example.identity(all, #"{"Effect":"Deny","Action":"*","NotResource":\#(resource)}"#)
        #expect(Example.decision(identity: [denyNot]).explicitDeny)
        let condition = #"{"StringNotEquals":{"s3:x-amz-acl":"${s3:prefix}"}}"#
        let acl = ["s3:x-amz-acl": ["private"]]
        let allowCondition = try Example.identity(
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":\#(condition)}"#)
        #expect(!Example.decision(by: Example.alice, acl, identity: [allowCondition]).allowed)
        let denyCondition = try Example.identity(
            all, #"{"Effect":"Deny","Action":"*","Resource":"*","Condition":\#(condition)}"#)
        #expect(Example.decision(by: Example.alice, acl, identity: [denyCondition]).explicitDeny)
        let fallback = try Example.identity(
            #"{"Effect":"Allow","Action":"*","Resource":"arn:aws:s3:::bucket/${s3:prefix, 'key'}${*}"}"#)
        #expect(Example.decision("s3:GetObject", "arn:aws:s3:::bucket/key*", identity: [fallback]).allowed)
        #expect(!Example.decision("s3:GetObject", "arn:aws:s3:::bucket/keys", identity: [fallback]).allowed)
    }

    @Test("GHSA-6r96: a request's own words for who and when are overwritten")
    func ownWords() throws {
        let policy = try Example.identity(
            #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:username":"admin"}}}"#,
            #"{"Effect":"Allow","Action":"*","Resource":"*","#
                + #""Condition":{"DateLessThan":{"aws:CurrentTime":"2020-01-01T00:00:00Z"}}}"#
        )
        let context = ["aws:username": ["admin"], "aws:currenttime": ["2019-01-01T00:00:00Z"], "aws:epochtime": ["0"]]
        #expect(!Example.decision(by: Example.alice, context, identity: [policy]).allowed)
        let bucket = try Example.bucket(
            #"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*","#
                + #""Condition":{"StringLike":{"aws:PrincipalArn":"*"}}}"#
        )
        #expect(!Example.decision(by: .anonymous, ["aws:principalarn": ["x"]], bucket: bucket).allowed)
        #expect(Example.decision(by: Example.alice, bucket: bucket).allowed)
    }
}
