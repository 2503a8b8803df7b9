import Foundation
import Policy
import Primitives
import Testing

@Suite("Policy documents")
struct PolicyDocumentTests {
    private typealias Example = PolicyExample

    private func complaint(_ text: String, kind: PolicyDocument.Kind = .bucket("bucket")) -> String? {
        do throws(PolicyError) {
            _ = try PolicyDocument.parse(Array(text.utf8), kind: kind)
            return nil
        } catch {
            return error.message
        }
    }

    private func document(_ statement: String) -> String { #"{"Version":"2012-10-17","Statement":[{\#(statement)}]}"# }

    private let usual = #""Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*""#

    @Test("that are in order are read")
    func valid() {
        for statement in [
            usual, usual + #","Sid":"","Condition":{}"#,
            #""Effect":"Deny","NotPrincipal":{"AWS":"1"},"NotAction":["s3:*"],"NotResource":["arn:aws:s3:::bucket"]"#,
            usual.replacing("bucket/*", with: "b?c*/a"), usual.replacing("bucket/*", with: "*"),
            usual.replacing("s3:GetObject", with: "*"),
        ] {
            #expect(complaint(document(statement)) == nil, "\(statement)")
        }
        #expect(complaint(#"{"Id":"x","Statement":{\#(usual)}}"#) == nil)
        #expect(complaint(#"{"Version":"2008-10-17","Statement":{\#(usual)}}"#) == nil)
    }

    @Test("of a bucket are refused in S3's words where they are not")
    func refused() {
        let json = "Policies must be valid JSON and the first byte must be '{'"
        for text in ["", "[]", "\"\"", "null", "{", #"{"Statement":[],"Statement":[]}"#, "\u{FEFF}{}"] {
            #expect(complaint(text)?.utf8.starts(with: json.utf8) == true, "\(text)")
        }
        #expect(complaint("{}") == "Missing required field Statement")
        #expect(complaint(#"{"Statement":[]}"#) == "Missing required field Statement")
        #expect(complaint(#"{"Statement":[1]}"#) == "Statement must be an object")
        #expect(
            complaint(#"{"Version":"2013-01-01","Statement":{\#(usual)}}"#)
                == "The policy must contain a valid version string")
        #expect(
            complaint(#"{"Version":2012,"Statement":{\#(usual)}}"#) == "The policy must contain a valid version string")
        #expect(complaint(#"{"Statement":{\#(usual)},"statement":1}"#) == "Unknown field statement")
        #expect(complaint(#"{"Id":1,"Statement":{\#(usual)}}"#) == "Id must be a string")
        for (old, new, message) in [
            (#""Effect":"Allow","#, "", "Missing required field Effect"),
            (#""Allow""#, #""allow""#, "Invalid effect: allow"),
            (#""Principal":"*","#, "", "Missing required field Principal"),
            (#""Action":"s3:GetObject","#, "", "Missing required field Action"),
            (#","Resource":"arn:aws:s3:::bucket/*""#, "", "Missing required field Resource"),
            (#""Effect""#, #""effect":"Allow","Effect""#, "Unknown field effect"),
            (#""Principal""#, #""NotPrincipal""#, "Allow with NotPrincipal is not allowed."),
            (
                #""Principal":"*""#, #""Principal":"*","NotPrincipal":"*""#,
                "Statement has both Principal and NotPrincipal"
            ),
            (#""Action":"s3:GetObject""#, #""Action":"*","NotAction":"*""#, "Statement has both Action and NotAction"),
        ] {
            #expect(complaint(document(usual.replacing(old, with: new))) == message)
        }
        let twice = #"{"Statement":[{"Sid":"a",\#(usual)},{"Sid":"a",\#(usual)}]}"#
        #expect(complaint(twice) == "Statement IDs (SID) in a single policy must be unique.")
    }

    @Test(
        "with malformed principals are refused",
        arguments: [
            #""""#, #""alice""#, "{}", "[]", "1", #"{"AWS":[]}"#, #"{"AWS":""}"#, #"{"AWS":1}"#, #"{"aws":"*"}"#,
            #"{"User":"a"}"#,
            #"{"AWS":"arn:aws:iam::111122223333:user/*"}"#, #"{"AWS":"arn:aws:iam::*:root"}"#,
            #"{"AWS":"arn:aws:iam::111122223333:user/"}"#,
            #"{"AWS":"arn:aws:iam::111122223333:group/a"}"#, #"{"AWS":"arn:aws:s3:::bucket"}"#,
            #"{"AWS":"arn:aws:iam:us-east-1:1:root"}"#,
            #"{"AWS":"arn:aws:iam:::user/a"}"#, #"{"AWS":"1111 2222"}"#, #"{"CanonicalUser":"*"}"#, #"{"AWS":["*",2]}"#,
            #"{"AWS":"arn:aws:iam::1:user/${aws:username}"}"#,
        ])
    func principals(_ principal: String) {
        let text = document(usual.replacing(#""Principal":"*""#, with: #""Principal":\#(principal)"#))
        #expect(complaint(text) == "Invalid principal in policy")
    }

    @Test(
        "with malformed actions are refused",
        arguments: [
            #""""#, #""GetObject""#, #""s3:""#, #"":GetObject""#, #""s3:Get Object""#, #""s3:a:b""#, #""ec2:Run""#,
            "[]", "1", #"["s3:*",1]"#, "{}", #""s3*:*""#,
        ])
    func actions(_ action: String) {
        let complaint = complaint(document(usual.replacing(#""s3:GetObject""#, with: action)))
        #expect(complaint?.utf8.starts(with: "Policy has invalid action".utf8) == true)
    }

    @Test(
        "whose resources are not in the bucket are refused",
        arguments: [
            #""*""#, #""""#, #""bucket""#, #""arn:aws:s3:::other""#, #""arn:aws:s3:::other/*""#,
            #""arn:aws:s3:::bucket2/*""#, #""arn:aws:s3:::bucke""#,
            #""arn:aws:s3:::Bucket/*""#, #""arn:aws:s3:::${aws:username}/*""#, #""arn:aws:s3:::""#,
            #""arn:aws:sqs:::bucket""#, #"["arn:aws:s3:::bucket",1]"#, "[]",
            #""arn:aws:s3::1:bucket""#,
        ])
    func resources(_ resource: String) {
        #expect(
            complaint(document(usual.replacing(#""arn:aws:s3:::bucket/*""#, with: resource)))
                == "Policy has invalid resource")
    }

    @Test(
        "with malformed conditions are refused",
        arguments: [
            "[]", "1", #"{"StringEquals":{}}"#, #"{"StringEquals":1}"#, #"{"stringequals":{"s3:prefix":"b"}}"#,
            #"{"Equals":{"s3:prefix":"b"}}"#,
            #"{"ForSomeValues:StringEquals":{"s3:prefix":"b"}}"#, #"{"NullIfExists":{"s3:prefix":true}}"#,
            #"{"ForAnyValue:Null":{"s3:prefix":true}}"#,
            #"{"StringEquals":{"a":"b"}}"#, #"{"StringEquals":{":a":"b"}}"#, #"{"StringEquals":{"s3:":"b"}}"#,
            #"{"StringEquals":{"s3:prefix":[]}}"#,
            #"{"StringEquals":{"s3:prefix":{}}}"#, #"{"StringEquals":{"s3:prefix":null}}"#,
            #"{"NumericEquals":{"s3:prefix":"x"}}"#,
            #"{"NumericEquals":{"s3:prefix":"nan"}}"#,
            #"{"DateEquals":{"s3:prefix":"2026-02-30T00:00:00Z"}}"#, #"{"Bool":{"s3:prefix":"yes"}}"#,
            #"{"IpAddress":{"aws:SourceIp":"1.2.3"}}"#,
            #"{"IpAddress":{"aws:SourceIp":"1.2.3.4/33"}}"#, #"{"IpAddress":{"aws:SourceIp":"::/129"}}"#,
            #"{"IpAddress":{"aws:SourceIp":"1::2::3"}}"#,
            #"{"IpAddress":{"aws:SourceIp":":::"}}"#, #"{"IpAddress":{"aws:SourceIp":"1:2:3:4:5:6:7"}}"#,
            #"{"IpAddress":{"aws:SourceIp":"${aws:username}"}}"#,
            #"{"IpAddress":{"aws:SourceIp":"1.2.3.4/"}}"#, #"{"ArnEquals":{"s3:prefix":"arn:aws"}}"#,
            #"{"BinaryEquals":{"s3:prefix":"?"}}"#, #"{"Null":{"s3:prefix":[true,false]}}"#,
            #"{"StringEquals":{"s3:prefix":"${"}}"#, #"{"StringEquals":{"s3:prefix":"${}"}}"#,
            #"{"StringEquals":{"s3:prefix":"${a}"}}"#, #"{"StringEquals":{"s3:prefix":"${s3:delimiter, c}"}}"#,
        ])
    func conditions(_ condition: String) {
        #expect(complaint(document(usual + #","Condition":\#(condition)"#)) != nil)
    }

    @Test("have a size and a depth that are kept")
    func limits() {
        func padded(_ count: Int) -> String {
            let text = document(usual)
            return text + String(repeating: " ", count: count - text.utf8.count)
        }
        #expect(complaint(padded(20_480)) == nil)
        #expect(complaint(padded(20_481)) == "Policy exceeds the maximum allowed document size.")
        #expect(complaint(String(repeating: "[", count: 20_000)) != nil)
    }

    @Test("of identities name no principals and may name everything")
    func identity() {
        let statement = #""Effect":"Allow","Action":["s3:*","sts:AssumeRole"],"Resource":["*","arn:aws:sts::1:role/a"]"#
        #expect(complaint(document(statement), kind: .identity) == nil)
        #expect(
            complaint(document(statement + #","Principal":"*""#), kind: .identity)
                == "Policy document should not specify a principal.")
        #expect(
            complaint(document(statement.replacing(#""*""#, with: #""bucket""#)), kind: .identity)
                == "Policy has invalid resource")
    }

    @Test(
        "are public where they allow something to everyone whom no fixed value narrows",
        arguments: [
            ("", true), (#"{"IpAddress":{"aws:SourceIp":"10.0.0.0/32"}}"#, false),
            (#"{"IpAddress":{"aws:SourceIp":["10.0.0.0/8","0.0.0.0/1"]}}"#, true),
            (#"{"IpAddress":{"aws:SourceIp":"2001:db8::/32"}}"#, false),
            (#"{"IpAddress":{"aws:SourceIp":"::/0"}}"#, true),
            (#"{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}"#, true),
            (#"{"IpAddressIfExists":{"aws:SourceIp":"10.0.0.0/8"}}"#, true),
            (#"{"StringEquals":{"aws:PrincipalAccount":"1"}}"#, false),
            (#"{"StringLike":{"aws:PrincipalArn":"arn:*"}}"#, true),
            (#"{"StringEquals":{"aws:PrincipalArn":"${s3:prefix}"}}"#, true),
            (#"{"StringEquals":{"aws:username":"alice"}}"#, true),
            (#"{"StringEquals":{"aws:PrincipalOrgID":"o-1"}}"#, false),
            (#"{"StringEquals":{"aws:SourceVpc":"vpc-1"}}"#, false),
            (#"{"StringLike":{"aws:SourceVpc":"vpc-*"}}"#, true),
            (#"{"StringLike":{"aws:SourceVpc":["vpc-1","vpc-2"]}}"#, false),
            (#"{"StringNotEquals":{"aws:SourceVpc":"vpc-1"}}"#, true),
            (#"{"StringEqualsIfExists":{"aws:SourceVpce":"vpce-1"}}"#, true),
            (#"{"ArnLike":{"aws:SourceArn":"arn:aws:s3:*:1:job/*"}}"#, true),
            (#"{"ArnEquals":{"aws:SourceArn":"arn:aws:s3:::other"}}"#, false),
            (#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:r:1:accesspoint/*"}}"#, false),
            (#"{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:r:1:accesspoint/*"}}"#, false),
            (#"{"StringLike":{"s3:DataAccessPointArn":"arn:aws:s3:r:*"}}"#, true),
            (#"{"ArnLike":{"s3:DataAccessPointArn":"arn:aws:s3:*:*:accesspoint/a"}}"#, true),
            (#"{"Null":{"aws:SourceVpc":false}}"#, true),
            (#"{"IpAddress":{"aws:SourceIp":"9.0.0.0/7"}}"#, true),
            (#"{"IpAddress":{"aws:SourceIp":"::ffff:0.0.0.0/96"}}"#, true),
            (#"{"StringEquals":{"aws:Referer":"x","aws:PrincipalAccount":"1"}}"#, false),
            (#"{"StringEquals":{"aws:Referer":"x"}}"#, true),
            (#"{"ForAllValues:StringEquals":{"aws:PrincipalAccount":"1"}}"#, true),
            (#"{"Bool":{"aws:SecureTransport":true}}"#, true),
        ])
    func publicAccess(_ condition: String, _ expected: Bool) throws {
        let block = condition.isEmpty ? "" : #","Condition":\#(condition)"#
        let policy = try Example.stored("{\(usual + block)}")
        #expect(policy.isPublic == expected)
        let open = [#"{"Federated":"graph.example.org"}"#, #"{"AWS":["111122223333","*"]}"#]
        for principal in open {
            let opened = usual.replacing(#""Principal":"*""#, with: #""Principal":\#(principal)"#)
            #expect(try Example.stored("{\(opened + block)}").isPublic == expected)
        }
        let service = usual.replacing(#""Principal":"*""#, with: #""Principal":{"Service":"logging.s3.amazonaws.com"}"#)
        #expect(try Example.stored("{\(service)}").isPublic == false)
        let named = usual.replacing(#""Principal":"*""#, with: #""Principal":{"AWS":"111122223333"}"#)
        #expect(try Example.stored("{\(named)}").isPublic == false)
        #expect(try Example.stored("{\(usual.replacing("Allow", with: "Deny"))}").isPublic == false)
    }

    @Test("say whether they ask for the tags of the object")
    func existingTags() throws {
        #expect(try Example.bucket("{\(usual)}").usesExistingObjectTags == false)
        for condition in [
            #"{"StringEquals":{"S3:ExistingObjectTag/a":"b"}}"#,
            #"{"StringEquals":{"s3:prefix":"${s3:ExistingObjectTag/a}"}}"#,
        ] {
            #expect(try Example.bucket(#"{\#(usual),"Condition":\#(condition)}"#).usesExistingObjectTags)
        }
    }

    @Test("No bytes crash the parser", arguments: 0..<20)
    func noise(_ seed: UInt64) throws {
        var generator = SplitMix(seed)
        let whole = Array(
            document(
                usual
                    + #","Condition":{"StringLike":{"s3:prefix":["${s3:delimiter,'c'}*"]},"#
                    + #""IpAddress":{"aws:SourceIp":"::ffff:1.2.3.4/120"}}"#
            ).utf8)
        let alphabet = Array("{}[]\":,*?$:/.0f\\u ".utf8)
        var read = 0
        for _ in 0..<200 {
            var bytes = whole
            for _ in 0..<generator.next(4) {
                bytes[generator.next(bytes.count)] = alphabet[generator.next(alphabet.count)]
            }
            guard let policy = try? PolicyDocument.parse(bytes, kind: .bucket("bucket")) else { continue }
            read += 1
            #expect(!Example.decision("s3:PutObject", by: .anonymous, bucket: policy).explicitDeny)
        }
        #expect(read > 0)
    }
}
