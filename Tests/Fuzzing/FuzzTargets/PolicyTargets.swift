import Policy
import Primitives

extension FuzzTarget {
    /// A policy, and what it decides. The first bytes choose who asks for what.
    static let policy = FuzzTarget("policy") {
        let allow =
            #"{"Version":"2012-10-17","Id":"a","Statement":[{"Sid":"b","Effect":"Allow","Principal":{"AWS":"#
            + #"["111122223333","arn:aws:iam::111122223333:user/alice"]},"Action":["s3:Get*","s3:PutObject"],"#
            + #""Resource":"arn:aws:s3:::bucket/*","Condition":{"StringLikeIfExists":{"s3:prefix":["a*","?b"]},"#
            + #""Bool":{"aws:SecureTransport":"true"}}},{"Effect":"Deny","Principal":"*","NotAction":"s3:GetObject","#
            + #""Resource":["arn:aws:s3:::bucket","arn:aws:s3:::bucket/a/*"]}]}"#
        let variable =
            #"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"s3:*","#
            + #""Resource":"arn:aws:s3:::bucket/${aws:username}/*","#
            + #""Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"},"#
            + #""ForAnyValue:StringEquals":{"s3:prefix":"a"},"#
            + #""DateLessThan":{"aws:CurrentTime":"2030-01-01T00:00:00Z"}}}}"#
        let identity = #"{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"arn:aws:s3:::bucket/b?"}]}"#
        return [
            Example("bucket", [0, 0, 0, 1] + Array(allow.utf8)),
            Example("variable", [0, 1, 1, 2] + Array(variable.utf8)),
            Example("identity", [1, 2, 2, 3] + Array(identity.utf8)),
            Example("unknown", [0, 0, 0, 0] + Array(#"{"Statement":[{"Effect":"Maybe"}]}"#.utf8)),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        let isIdentity = reader.byte() & 1 == 1
        let question = PolicyQuestion(&reader)
        let text = Array(reader.rest)
        let parsed = Result { () throws(PolicyError) in
            try PolicyDocument.parse(text, kind: isIdentity ? .identity : .bucket("bucket"))
        }
        guard case .success(let policy) = parsed else { return false }
        let json = try require(try? JSON.parse(text, limits: JSONLimits(depth: 16)), "a policy that is no JSON")
        if !isIdentity {
            let stored = Result { () throws(PolicyError) in
                try PolicyDocument.parse(stored: text, bucket: "bucket")
            }
            try require((try? stored.get()) == policy, "a policy is read otherwise once stored")
        }
        let decision = try question.decide(policy, isIdentity: isIdentity)
        let sorted = Result { () throws(PolicyError) in
            try PolicyDocument.parse(json.canonical, kind: isIdentity ? .identity : .bucket("bucket"))
        }
        let again = try require(try? sorted.get(), "a policy that is none in its canonical form")
        try require(
            try question.decide(again, isIdentity: isIdentity) == decision, "another decision by the canonical form")
        if decision.allowed, question.principal.kind == .anonymous {
            try require(policy.mayAllowStrangers, "a stranger is let in by a policy that lets in none")
        }
        guard !decision.reasons.contains("limit:evaluation-cost") else { return true }
        if let expected = PlainPolicy(json, isIdentity: isIdentity)?.decides(question) {
            try require(decision.allowed == expected, "another decision than that of the plain reading")
        }
        return true
    }

    /// A pattern of a resource, a zero byte, and a key to hold against it.
    static let policyPattern = FuzzTarget("policy-pattern") {
        [
            Example("stars", "a*b?*c\u{0}axxbycxxc"), Example("none", "a\u{0}b"), Example("all", "**?**\u{0}\u{e9}"),
        ]
    } run: { bytes in
        var reader = InputReader(bytes)
        let pattern = reader.take(upTo: 0)
        guard let text = String(validating: pattern, as: UTF8.self),
            let key = String(validating: reader.rest.prefix(1024), as: UTF8.self)
        else { return false }
        // Of a version of the language without variables.
        let json: JSON = [
            "Version": "2008-10-17",
            "Statement": [
                ["Effect": "Allow", "Action": "s3:GetObject", "Resource": .string("arn:aws:s3:::b/" + text)]
            ],
        ]
        let parsed = Result { () throws(PolicyError) in try PolicyDocument.parse(json.canonical, kind: .identity) }
        guard case .success(let policy) = parsed else { return false }
        let decision = decide(
            Access(action: "s3:GetObject", resource: "arn:aws:s3:::b/" + key), by: .user("a", account: "111122223333"),
            at: SigningExample.now, under: PolicySet(identity: [policy]))
        let expected = PlainPolicy.matches(Array(text.utf8), Array(key.utf8))
        try require(decision.allowed == expected, "another match than that of the plain reading")
        return decision.allowed
    }
}

/// Who asks for what.
struct PolicyQuestion {
    let principal: Principal
    let action: String
    let resource: String
    let context: [String: [String]]

    private static let principals: [Principal] = [
        .user("alice", account: "111122223333"), .anonymous, .root(account: "111122223333"),
        .user("bob", account: "444455556666"), .root(account: "444455556666").withoutOwnership,
    ]
    private static let actions = [
        "s3:GetObject", "s3:PutObject", "s3:ListBucket", "s3:PutBucketPolicy", "s3:DeleteObjectVersion",
    ]
    private static let resources = [
        "arn:aws:s3:::bucket/a/b", "arn:aws:s3:::bucket", "arn:aws:s3:::bucket/alice/x", "arn:aws:s3:::bucket/b",
        "arn:aws:s3:::bucket/",
    ]
    private static let contexts: [[String: [String]]] = [
        [:], ["s3:prefix": ["ab"], "aws:securetransport": ["true"], "aws:sourceip": ["10.1.2.3"]],
        ["s3:prefix": ["a"], "aws:securetransport": ["false"], "aws:sourceip": ["2001:db8::1"]],
        ["s3:requestobjecttagkeys": ["a", "B", ""], "s3:prefix": [""], "s3:max-keys": ["1000"]],
    ]

    init(_ reader: inout InputReader) {
        principal = reader.pick(Self.principals)
        action = reader.pick(Self.actions)
        let choice = reader.byte()
        resource = Self.resources[Int(choice & 15) % Self.resources.count]
        context = Self.contexts[Int(choice >> 4) % Self.contexts.count]
    }

    func decide(_ policy: PolicyDocument, isIdentity: Bool) throws -> Decision {
        let cost = EvaluationCost()
        let policies = isIdentity ? PolicySet(identity: [policy]) : PolicySet(resource: policy)
        let access = Access(action: action, resource: resource, context: context)
        let decision = Policy.decide(access, by: principal, at: SigningExample.now, under: policies, cost: cost)
        try require(!(decision.allowed && decision.explicitDeny), "an allowance that is a denial")
        try require(!decision.allowed || !cost.isExceeded, "an allowance that was not decided to its end")
        // No step may go far beyond the limit before it is noticed.
        try require(cost.steps <= EvaluationCost.limit * 2, "a decision of \(cost.steps) steps")
        return decision
    }
}
