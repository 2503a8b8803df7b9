import Primitives
import Signing
import Testing

@Suite("Signature version 2")
struct SignatureV2Tests {
    /// An example of <https://docs.aws.amazon.com/AmazonS3/latest/userguide/RESTAuthentication.html>.
    struct Published: Sendable, CustomTestStringConvertible {
        let name: String
        let method: String
        let target: String
        var fields: HeaderFields
        let bucketOfHost: String?
        /// The signature in the header; nil where the target has it.
        let signature: String?

        var testDescription: String { name }
    }

    /// Those whose signatures are right. The page renamed its buckets without signing anew everything: its upload and
    /// its URL are signed for the names of before, which stand here, and its deletion was never signed by its own rule.
    static let published = [
        Published(
            name: "Object GET", method: "GET", target: "/photos/puppy.jpg",
            fields: ["date": "Tue, 27 Mar 2007 19:36:42 +0000"], bucketOfHost: "awsexamplebucket1",
            signature: "qgk2+6Sv9/oM7G3qLEjTH1a1l1g="),
        Published(
            name: "Object PUT", method: "PUT", target: "/photos/puppy.jpg",
            fields: [
                "content-type": "image/jpeg", "content-length": "94328", "date": "Tue, 27 Mar 2007 21:15:45 +0000",
            ], bucketOfHost: "awsexamplebucket1", signature: "iqRzw+ileNPu1fhspnRs8nOjjIA="),
        Published(
            name: "List", method: "GET", target: "/?prefix=photos&max-keys=50&marker=puppy",
            fields: ["user-agent": "Mozilla/5.0", "date": "Tue, 27 Mar 2007 19:42:41 +0000"],
            bucketOfHost: "awsexamplebucket1", signature: "m0WP8eCtspQl5Ahe6L1SozdX9YA="),
        Published(
            name: "Fetch", method: "GET", target: "/?acl", fields: ["date": "Tue, 27 Mar 2007 19:44:46 +0000"],
            bucketOfHost: "awsexamplebucket1", signature: "82ZHiFIjc+WbcwFKGUVEQspPn+0="),
        Published(
            name: "Upload", method: "PUT", target: "/db-backup.dat.gz",
            fields: [
                "date": "Tue, 27 Mar 2007 21:06:08 +0000", "x-amz-acl": "public-read",
                "content-type": "application/x-download", "content-md5": "4gJE4saaMU4BqNR0kLY+lw==",
                "x-amz-meta-reviewedby": "joe@johnsmith.net", "x-amz-meta-reviewedby": "jane@johnsmith.net",
                "x-amz-meta-filechecksum": "0x02661779", "x-amz-meta-checksumalgorithm": "crc32",
                "content-disposition": "attachment; filename=database.dat", "content-encoding": "gzip",
            ], bucketOfHost: "static.johnsmith.net", signature: "ilyl83RwaSoYIEdixDQcA4OnAnc="),
        Published(
            name: "List all my buckets", method: "GET", target: "/",
            fields: ["date": "Wed, 28 Mar 2007 01:29:59 +0000"], bucketOfHost: nil,
            signature: "qGdzdERIC03wnaRNKh6OqZehG9s="),
        Published(
            name: "Unicode keys", method: "GET", target: "/dictionary/fran%C3%A7ais/pr%c3%a9f%c3%a8re",
            fields: ["date": "Wed, 28 Mar 2007 01:49:49 +0000"], bucketOfHost: nil,
            signature: "DNEZGsoieTZ92F3bUfSPQcbGmlM="),
        Published(
            name: "Query string", method: "GET",
            target: "/photos/puppy.jpg?AWSAccessKeyId=AKIAIOSFODNN7EXAMPLE&Signature=NpgCjnDzrM%2BWFzoENXmpNDUsSn8%3D"
                + "&Expires=1175139620",
            fields: [:], bucketOfHost: "johnsmith", signature: nil),
    ]

    @Test("accepts the examples that S3 publishes, and none of them for another bucket", arguments: published)
    func examples(_ example: Published) throws {
        var head = RequestHead(method: example.method, target: example.target, fields: example.fields)
        if let signature = example.signature {
            head.fields["authorization"] = "AWS \(Version2.accessKeyID):\(signature)"
        }
        let now = example.fields["date"] == nil ? Timestamp(seconds: 1_175_139_000) : Timestamp(seconds: 1_175_024_202)
        let date = try #require(Timestamp(iso8601: "2007-03-27T19:36:42Z"))
        #expect(date == Timestamp(seconds: 1_175_024_202))
        // The examples are of two days; each is asked at its own time.
        let hour = stride(from: 0, to: 48 * 3600, by: 600).first { seconds in
            Version2.refusal(head, bucketOfHost: example.bucketOfHost, now: now + .seconds(seconds)) == nil
        }
        #expect(hour != nil)
        let right = now + .seconds(hour ?? 0)
        #expect(Version2.refusal(head, bucketOfHost: "other", now: right) == "SignatureDoesNotMatch")
        head.method = "DELETE"
        #expect(
            Version2.refusal(head, bucketOfHost: example.bucketOfHost, now: right) == "SignatureDoesNotMatch")
    }

    @Test(
        "takes the dates of HTTP with any numeric zone, and that of version 4",
        arguments: [
            "Sat, 14 Mar 2026 15:09:26 GMT", "Sat, 14 Mar 2026 15:09:26 +0000", "Sat, 14 Mar 2026 16:39:26 +0130",
            "Sat, 14 Mar 2026 08:09:26 -0700", "Sat, 14 Mar 2026 15:09:26 UTC", "Saturday, 14-Mar-26 15:09:26 GMT",
            "Sat Mar 14 15:09:26 2026", "20260314T150926Z",
        ])
    func dates(_ date: String) throws {
        let head = Version2.signed(date: date)
        #expect(Version2.refusal(head) == nil)
        #expect(Version2.refusal(head, now: Example.now + .seconds(901)) == "RequestTimeTooSkewed")
        let alternative = Version2.signed(
            fields: ["x-amz-date": date], rest: "x-amz-date:\(date)\n/bucket/key", date: "")
        #expect(Version2.refusal(alternative) == nil)
    }

    @Test("x-amz-date is the date wherever it stands, and Date then nothing")
    func alternativeDate() {
        var head = Version2.signed(
            fields: ["x-amz-date": Example.now.httpDate], rest: "x-amz-date:\(Example.now.httpDate)\n/bucket/key",
            date: "")
        head.fields["date"] = "Thu, 01 Jan 1970 00:00:00 GMT"
        #expect(Version2.refusal(head) == nil)
        head.fields["x-amz-date"] = "nonsense"
        head.fields["date"] = Example.now.httpDate
        #expect(Version2.refusal(head) == "AccessDenied")
        head.fields["x-amz-date"] = ""
        #expect(Version2.refusal(head) == "AccessDenied")
    }

    @Test("Metadata that comes twice is one list, and spaces around values are nothing")
    func lists() {
        let rest = "x-amz-acl:private\nx-amz-meta-a:1,2\nx-amz-meta-b:two  spaces\n/bucket/key"
        let fields: HeaderFields = [
            "x-amz-meta-b": "two  spaces", "x-amz-meta-a": "1", "x-amz-acl": "private", "x-amz-meta-a": "2",
        ]
        #expect(Version2.refusal(Version2.signed("PUT", fields: fields, rest: rest)) == nil)
        #expect(Version2.refusal(Version2.presigned("PUT", fields: fields, rest: rest)) == nil)
        let other: HeaderFields = [
            "x-amz-meta-b": "two  spaces", "x-amz-meta-a": "2", "x-amz-acl": "private", "x-amz-meta-a": "1",
        ]
        #expect(Version2.refusal(Version2.signed("PUT", fields: other, rest: rest)) == "SignatureDoesNotMatch")
    }

    @Test("Sub-resources are signed in their order, values decoded")
    func resources() {
        for (target, resource) in [
            ("/b/k?versionId=a%2Bb&acl", "/b/k?acl&versionId=a+b"), ("/b/k?acl=", "/b/k?acl"),
            ("/b/k?versionId=", "/b/k?versionId="), ("/b/k?%61cl", "/b/k?acl"), ("/b?delete&prefix=x", "/b?delete"),
            ("/b/k?uploadId=u&partNumber=1&x-id=UploadPart", "/b/k?partNumber=1&uploadId=u"),
            ("/b/k?response-content-disposition=a%20%26%20b", "/b/k?response-content-disposition=a & b"),
            ("/b?list-type=2&prefix=x&continuation-token=y", "/b"), ("/b?ACL", "/b"),
            ("/b?object-lock", "/b?object-lock"),
            // As clients of botocore sign a bucket without a slash behind it.
            ("/b?acl", "/b/?acl"), ("/b", "/b/"),
        ] {
            #expect(Version2.refusal(Version2.signed("GET", target, rest: resource)) == nil, "\(target)")
            #expect(Version2.refusal(Version2.presigned("GET", target, rest: resource)) == nil, "\(target)")
        }
    }

    @Test("An x-amz-* parameter of the query is signed as a header, and is one from then on")
    func hoisted() throws {
        let target = "/bucket/key?X-Amz-Meta-A=%20b%20c&x-amz-acl=private"
        let rest = "x-amz-acl:private\nx-amz-meta-a:b c\n/bucket/key"
        for head in [Version2.presigned("PUT", target, rest: rest), Version2.signed("PUT", target, rest: rest)] {
            #expect(Version2.refusal(head) == nil)
            guard case .version2(let presented) = try RequestSignature.parse(head: head, allowsVersion2: true) else {
                Issue.record("no claim")
                continue
            }
            #expect(presented.hoisted == ["x-amz-meta-a": "b c", "x-amz-acl": "private"])
            var same = head
            same.fields["x-amz-meta-a"] = "b c"
            #expect(Version2.refusal(same) == nil)
        }
    }

    @Test("An example of a form that S3 publishes is accepted")
    func form() throws {
        let policy =
            "eyAiZXhwaXJhdGlvbiI6ICIyMDA3LTEyLTAxVDEyOjAwOjAwLjAwMFoiLAogICJjb25kaXRpb25zIjogWwogICAgeyJidWNrZXQiOiAi"
            + "am9obnNtaXRoIn0sCiAgICBbInN0YXJ0cy13aXRoIiwgIiRrZXkiLCAidXNlci9lcmljLyJdLAogICAgeyJhY2wiOiAicHVibGljLXJl"
            + "YWQifSwKICAgIHsic3VjY2Vzc19hY3Rpb25fcmVkaXJlY3QiOiAiaHR0cDovL2pvaG5zbWl0aC5zMy5hbWF6b25hd3MuY29tL3N1Y2Nl"
            + "c3NmdWxfdXBsb2FkLmh0bWwifSwKICAgIFsic3RhcnRzLXdpdGgiLCAiJENvbnRlbnQtVHlwZSIsICJpbWFnZS8iXSwKICAgIHsieC1h"
            + "bXotbWV0YS11dWlkIjogIjE0MzY1MTIzNjUxMjc0In0sCiAgICBbInN0YXJ0cy13aXRoIiwgIiR4LWFtei1tZXRhLXRhZyIsICIiXQog"
            + "IF0KfQo="
        let form = try PostForm([
            ("key", "user/eric/MyPicture.jpg"), ("acl", "public-read"),
            ("success_action_redirect", "http://johnsmith.s3.amazonaws.com/successful_upload.html"),
            ("Content-Type", "image/jpeg"), ("x-amz-meta-uuid", "14365123651274"),
            ("x-amz-meta-tag", "Some,Tag,For,Picture"), ("AWSAccessKeyId", Version2.accessKeyID), ("Policy", policy),
            ("Signature", "0RavWzkygo6QX9caELEqKi9kDbU="),
        ])
        // The page says not by which secret; it is that of an earlier edition.
        let secret = SecretKey("uV3F3YluFJax1cknvbcGwgjvx4QpvB+leU8dUj2o")
        let presented = try #require(try PostPolicy.parse(form, allowsVersion2: true))
        let time = try #require(Timestamp(iso8601: "2007-11-14T21:21:33Z"))
        func evaluate(bucket: String = "johnsmith", _ secret: SecretKey) throws {
            _ = try PostPolicy.evaluate(
                presented, form: form, bucket: bucket, secretKey: secret, now: time, region: Example.region)
        }
        try evaluate(secret)
        #expect(throws: SigningError.self) { try evaluate(bucket: "other", secret) }
        #expect(throws: SigningError.self) { try evaluate(Example.secret) }
    }
}
