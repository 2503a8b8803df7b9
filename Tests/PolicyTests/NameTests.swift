import Foundation
import Primitives
import Testing

@testable import Policy

@Suite("Names in policies")
struct NameTests {
    private func complaint(
        effect: String = "Deny", _ actions: String, _ condition: String = "{}",
        resource: String = "arn:aws:s3:::bucket/*", kind: PolicyDocument.Kind = .bucket("bucket")
    ) -> String? {
        let principal = kind == .identity ? "" : #""Principal":"*","#
        let statement =
            #"{"Effect":"\#(effect)",\#(principal)"Action":\#(actions),"Resource":"\#(resource)","#
            + #""Condition":\#(condition)}"#
        let text = #"{"Version":"2012-10-17","Statement":\#(statement)}"#
        do throws(PolicyError) {
            _ = try PolicyDocument.parse(Array(text.utf8), kind: kind)
            return nil
        } catch {
            return error.message
        }
    }

    @Test(
        "Actions that S3 does not have are refused, with what may have been meant",
        arguments: [
            ("s3:PutObjekt", "; did you mean s3:PutObject?"), ("s3:deleteobjects", "; did you mean s3:DeleteObject?"),
            ("s3:GetObjectz*", "; did you mean s3:GetObject?"), ("s3:Zzzzzzzzzzzz?", ""),
            ("ec2:RunInstances", " is no action of S3"), ("s3-object-lambda:GetObject", " is no action of S3"),
        ])
    func unknownActions(_ action: String, _ hint: String) {
        for effect in ["Allow", "Deny"] {
            #expect(complaint(effect: effect, #""\#(action)""#) == "Policy has invalid action: \(action)\(hint)")
            #expect(complaint(effect: effect, #"["s3:GetObject","\#(action)"]"#) != nil)
        }
        #expect(complaint(#""s3:*","NotResource":"x","NotAction":"\#(action)""#) != nil)
    }

    @Test("Actions that S3 has are taken, served or not, in any case, and with wildcards that mean one")
    func knownActions() {
        for name in ActionNames.ofS3 { #expect(complaint(#""s3:\#(name)""#) == nil) }
        for action in ["*", "s3:*", "S3:get*", "s3:G?tObject", "s3:*Annotation*", "s3:putbucketcors"] {
            #expect(complaint(#""\#(action)""#) == nil, "\(action)")
        }
        #expect(ActionNames.ofS3.count == Set(ActionNames.ofS3.map { $0.lowercased() }).count)
    }

    @Test("Every action that an operation asks for is one that a policy can name")
    func servedActions() throws {
        let sources = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath().deletingLastPathComponent()
            .deletingLastPathComponent().deletingLastPathComponent().appendingPathComponent("Sources/S3Model")
        let files = try #require(FileManager.default.enumerator(at: sources, includingPropertiesForKeys: nil))
        var found: Set<String> = []
        for case let file as URL in files where file.pathExtension == "swift" {
            let text = String(decoding: try Data(contentsOf: file), as: UTF8.self)
            found.formUnion(text.matches(of: /"s3:([A-Z][A-Za-z]+)"/).map { String($0.1) })
        }
        #expect(found.count > 30)
        #expect(found.filter { !ActionNames.ofS3.contains($0) }.isEmpty)
    }

    @Test("A user's policy may speak of services beside S3, whose names are not looked up, but of no others")
    func otherServices() {
        for action in ["sts:AssumeRole", "iam:*", "kms:Decrypt", "s3express:CreateSession"] {
            #expect(complaint(#""\#(action)""#, resource: "*", kind: .identity) == nil, "\(action)")
        }
        let condition = #"{"StringEquals":{"sts:ExternalId":"x"}}"#
        #expect(complaint(#""sts:AssumeRole""#, condition, resource: "*", kind: .identity) == nil)
        #expect(complaint(#"["sts:AssumeRole","s3:*"]"#, condition, resource: "*", kind: .identity) != nil)
        for action in ["s33:DeleteObject", "ec2:*", "s3:PutObjekt"] {
            #expect(complaint(#""\#(action)""#, resource: "*", kind: .identity) != nil, "\(action)")
        }
    }

    @Test(
        "Condition keys and variables that do not exist are refused, with what may have been meant",
        arguments: [
            ("aws:SourceIPx", "; did you mean aws:SourceIp?"), ("s3:TlsVerion", "; did you mean s3:TlsVersion?"),
            ("s3:key", ""), ("s3:ExistingObjectTag/", "; did you mean s3:ExistingObjectTag/?"), ("sts:ExternalId", ""),
        ])
    func unknownKeys(_ key: String, _ hint: String) {
        let prefix = "Policy has an invalid condition key: \(key)"
        for effect in ["Allow", "Deny"] {
            for name in ["StringEquals", "StringNotEquals", "StringLikeIfExists", "ForAllValues:StringLike"] {
                let found = complaint(effect: effect, #""s3:*""#, #"{"\#(name)":{"\#(key)":"x"}}"#)
                #expect(found?.utf8.starts(with: prefix.utf8) == true, "\(found ?? "")")
                if hint.utf8.contains(UInt8(ascii: "?")) { #expect(found == prefix + hint) }
            }
            let (variable, resource) = ("${\(key)}", "arn:aws:s3:::bucket/${\(key)}/*")
            #expect(complaint(effect: effect, #""s3:*""#, #"{"StringEquals":{"s3:prefix":"\#(variable)"}}"#) != nil)
            #expect(complaint(effect: effect, #""s3:*""#, resource: resource) != nil)
        }
    }

    @Test("Every key that requests have is taken, in any case, as condition and as variable")
    func offeredKeys() {
        for key in ConditionKeys.offered + ConditionKeys.offeredOfTags.map({ $0 + "Team" }) {
            for spelled in [key, key.lowercased(), key.uppercased()] {
                #expect(complaint(#""s3:*""#, #"{"StringEquals":{"\#(spelled)":"x"}}"#) == nil, "\(spelled)")
            }
            let resource = "arn:aws:s3:::bucket/${\(key)}/*"
            #expect(complaint(#""s3:*""#, resource: resource) == nil, "\(key)")
        }
        let all = (ConditionKeys.offered + ConditionKeys.absent).map { $0.lowercased() }
        #expect(all.count == Set(all).count)
    }

    @Test(
        "A key that no request here has is refused where a denial would never apply and an allowance not be bound",
        arguments: [
            ("StringEquals", denies: false), ("StringLike", denies: false), ("ForAnyValue:StringEquals", denies: false),
            ("ForAnyValue:StringNotEquals", denies: false), ("StringNotEquals", denies: true),
            ("StringNotLike", denies: true), ("StringEqualsIfExists", denies: true),
            ("ForAllValues:StringEquals", denies: true), ("ArnNotLikeIfExists", denies: true),
        ])
    func absentKeys(_ name: String, denies: Bool) {
        for key in ["aws:userid", "aws:SourceVpce", "aws:PrincipalTag/team", "s3:object-lock-mode"] {
            let condition = #"{"\#(name)":{"\#(key)":"arn:aws:a:b:c:d"}}"#
            let denial = complaint(effect: "Deny", #""s3:*""#, condition)
            let allowance = complaint(effect: "Allow", #""s3:*""#, condition)
            #expect((denial == nil) == denies, "\(name) \(key)")
            #expect((allowance == nil) == !denies, "\(name) \(key)")
            for complaint in [denial, allowance].compactMap({ $0 }) {
                #expect(complaint.contains("not supported: no request to this server has \(key)"))
            }
        }
        let null = { (value: Bool) in #"{"Null":{"aws:MultiFactorAuthAge":\#(value)}}"# }
        #expect(complaint(#""s3:*""#, null(true)) == nil && complaint(#""s3:*""#, null(false)) != nil)
        #expect(complaint(#""s3:*""#, #"{"StringEquals":{"s3:prefix":"${aws:userid, 'a'}"}}"#) != nil)
    }

    @Test("What a key that no request has would do is what the condition then does")
    func absentOutcome() throws {
        for name in ["StringEquals", "StringNotEquals", "StringEqualsIfExists", "StringNotEqualsIfExists", "Null"] {
            for quantifier in name == "Null" ? [""] : ["", "ForAllValues:", "ForAnyValue:"] {
                let block = #"{"\#(quantifier + name)":{"s3:prefix":"true"}}"#
                let policy = try PolicyExample.identity(
                    #"{"Effect":"Allow","Action":"*","Resource":"*","Condition":\#(block)}"#)
                let condition = try #require(policy.statements.first?.conditions.first)
                #expect(try PolicyExample.holds(block, [:]) == condition.holdsWithoutKey, "\(block)")
            }
        }
    }

    @Test("A policy that was accepted once stays readable, whatever names this version knows")
    func stored() throws {
        let text = #"""
            {"Version":"2012-10-17","Statement":[
            {"Effect":"Allow","Principal":"*","Action":["s3:GetObject","s3:Future"],"Resource":"arn:aws:s3:::bucket/*"},
            {"Effect":"Deny","Principal":"*","Action":"s3:*","Resource":"arn:aws:s3:::bucket/*",
            "Condition":{"StringEquals":{"s3:future":"${s3:future2}"}}}]}
            """#
        #expect(throws: PolicyError.self) {
            try PolicyDocument.parse(Array(text.utf8), kind: .bucket("bucket"))
        }
        let policy = try PolicyDocument.parse(stored: Array(text.utf8), bucket: "bucket")
        #expect(PolicyExample.decision(by: .anonymous, bucket: policy).allowed)
        #expect(throws: PolicyError.self) { try PolicyDocument.parse(stored: Array("{}".utf8), bucket: "bucket") }
    }

    @Test("An error says which statement it is in")
    func place() {
        let good = #"{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}"#
        for (sid, place) in [("", "statement 2"), (#""Sid":"Keep","#, "statement 2 (Keep)")] {
            do throws(PolicyError) {
                let wrong = #"{\#(sid)"Effect":"Deny","Action":"s3:PutObjekt","Resource":"*"}"#
                let text = #"{"Version":"2012-10-17","Statement":[\#(good),\#(wrong)]}"#
                _ = try PolicyDocument.parse(Array(text.utf8), kind: .identity)
                Issue.record("a wrong action was taken")
            } catch {
                #expect("\(error)" == "\(place): \(error.message)")
            }
        }
    }
}
