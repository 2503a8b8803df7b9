import Primitives
import S3Model
import S3Wire
import Testing

/// What a form asks for, and how it is answered.
@Suite("POST Object on the wire")
struct PostObjectWireTests {
    private func request(_ fields: HeaderFields = [:]) throws -> WireRequest {
        let head = RequestHead(method: "POST", target: "/bucket", fields: fields)
        return try WireRequest(head, domains: [], region: "us-east-1")
    }

    private func decode(_ form: HeaderFields, headers: HeaderFields = [:]) throws(S3Error) -> PostObject.Input {
        var form = form
        if !form.contains("key") { form.append("key", "k") }
        let request: WireRequest
        do {
            request = try self.request(headers)
        } catch {
            throw S3Error(.internalError)
        }
        return try PostObject.decode(try request.submitting(form), document: [])
    }

    private func refusal(_ form: HeaderFields) -> String {
        do throws(S3Error) {
            _ = try decode(form)
            return "decoded"
        } catch {
            return error.code.name
        }
    }

    @Test("CVE-2023-43040, CVE-2023-28434: a field never names the bucket")
    func bucket() throws {
        #expect(refusal(["bucket": "other"]) == "AccessDenied")
        #expect(try decode(["bucket": "bucket"]).bucket == "bucket")
    }

    @Test(
        "SeaweedFS bfea14320: fields that S3 does not know, or that cannot be obeyed, are refused",
        arguments: [
            ("x-amz-unknown", "1", "InvalidArgument"), ("x-amz-tagging", "a=b", "InvalidArgument"),
            ("x-amz-trailer", "x-amz-checksum-crc32", "InvalidArgument"),
            ("x-amz-ignore-acl", "", "InvalidArgument"),
            ("x-amz-meta-a b", "1", "InvalidArgument"), ("x-amz-meta-a\r\nset-cookie", "1", "InvalidArgument"),
            ("x-amz-meta-a", "1\r\nset-cookie: a=b", "InvalidArgument"), ("content-type", "a\nb", "InvalidArgument"),
            ("x-amz-meta-a", "\0", "InvalidArgument"), ("cache-control", "\u{7F}", "InvalidArgument"),
            ("x-amz-storage-class", "FAST", "InvalidStorageClass"), ("tagging", "a=b", "MalformedXML"),
            ("x-amz-checksum-crc32", "nonsense", "InvalidRequest"), ("content-md5", "nonsense", "InvalidDigest"),
            ("key", "", "InvalidArgument"), ("key", String(repeating: "k", count: 1025), "KeyTooLongError"),
            ("x-amz-meta-a", String(repeating: "v", count: 2049), "MetadataTooLarge"),
        ])
    func refused(_ name: String, _ value: String, _ code: String) {
        #expect(refusal([name: value]) == code)
    }

    @Test("A form that says twice what its ACL is, or names no key, is refused")
    func others() throws {
        #expect(refusal(["acl": "private", "x-amz-acl": "public-read"]) == "InvalidArgument")
        let request = try request()
        #expect(throws: S3Error.self) { try request.submitting(["acl": "private"]) }
    }

    @Test("GHSA-6r96: the POST's own header says nothing of the object")
    func headers() throws {
        let input = try decode(
            [:],
            headers: [
                "content-type": "multipart/form-data; boundary=x", "x-amz-meta-a": "1", "x-amz-acl": "public-read",
                "x-amz-storage-class": "GLACIER", "x-amz-tagging": "a=b", "content-md5": "nonsense",
                "x-amz-checksum-crc32": "nonsense", "if-none-match": "*",
            ])
        #expect(input.attributes == ObjectAttributes())
        #expect(input.checksum == ChecksumRequest())
        let form = try request(["x-amz-expected-bucket-owner": "1"]).submitting(["key": "k"])
        #expect(form.fields["x-amz-expected-bucket-owner"] == "1", "what only restricts is kept")
    }

    @Test("What is no form is answered as S3 does")
    func noForm() throws {
        let error = #expect(throws: S3Error.self) { try PostObject.decode(request(), document: []) }
        #expect(error?.code == .preconditionFailed)
        #expect(
            error?.details == [
                S3Error.Detail("Condition", "Bucket POST must be of the enclosure-type multipart/form-data")
            ])
    }

    @Test("Fields say of the object what a PUT's header does")
    func attributes() throws {
        let tagging = "<Tagging><TagSet>\r\n<Tag><Key>a</Key><Value>b</Value></Tag></TagSet></Tagging>"
        let input = try decode([
            "key": "a b", "acl": "bucket-owner-full-control", "content-type": " text/plain ", "expires": "0",
            "cache-control": "no-cache", "content-disposition": "inline", "content-encoding": "gzip",
            "x-amz-meta-a": "ä", "x-amz-storage-class": "GLACIER", "tagging": tagging, "success_action_status": "201",
            "x-amz-website-redirect-location": "/there", "x-amz-checksum-crc32": "AAAAAA==", "x-ignore-acl": "x",
            "submit": "Upload", "policy": "e30=", "x-amz-signature": "0", "x-amz-date": "0", "x-amz-algorithm": "0",
            "x-amz-credential": "0", "if-none-match": "*",
        ])
        #expect(input.bucket == "bucket")
        #expect(input.key == ObjectKey("a b"))
        #expect(
            input.attributes.headers == [
                "content-type": "text/plain", "expires": "0", "cache-control": "no-cache",
                "content-disposition": "inline", "content-encoding": "gzip",
                "x-amz-website-redirect-location": "/there",
            ])
        #expect(input.attributes.metadata == ["a": "ä"])
        #expect(input.attributes.storageClass == "GLACIER")
        #expect(input.attributes.tags == [Tag(key: "a", value: "b")])
        #expect(input.checksum.value == [0, 0, 0, 0])
        #expect(input.status == 201)
        #expect(PostObject.accesses(of: input).map(\.action) == ["s3:PutObject", "s3:PutObjectTagging"])
    }

    @Test(
        "CVE-2015-5245: a browser is sent to absolute http URLs alone, and no URL ends its header field",
        arguments: [
            ("http://example.com", "http://example.com?"), ("HTTPS://example.com/a?b=c", "HTTPS://example.com/a?b=c&"),
            ("http://[::1]:80/%20", "http://[::1]:80/%20?"), ("http://a@example.com/", "http://a@example.com/?"),
            ("http://example.com/a\r\nset-cookie: a=b", nil), ("http://example.com/ä", nil),
            ("http://example.com/ ", nil), ("http://example.com\\@evil", nil), ("http://example.com/%2", nil),
            ("javascript:alert(1)", nil), ("data:text/html,x", nil), ("//example.com", nil), ("/path", nil),
            ("http://", nil), ("http:///path", nil), ("http://:80/", nil), ("http://a@/", nil),
            ("ftp://example.com", nil),
            ("", nil), ("http://example.com/<script>", nil),
        ] as [(String, String?)])
    func redirects(_ url: String, _ sentTo: String?) throws {
        for name in ["success_action_redirect", "redirect"] {
            let response = try answer([name: url])
            let query = "bucket=bucket&key=a%2Fb%20%0D%0A&etag=%22e%22"
            #expect(response.status == (sentTo == nil ? 204 : 303), "\(url)")
            #expect(response.fields["location"] == sentTo.map { $0 + query } ?? "http://host/bucket/a%2Fb")
        }
    }

    private func answer(_ form: HeaderFields) throws -> WireResponse {
        var form = form
        form["key"] = "a/b \r\n"
        let output = PostObject.Output(etag: "e", versionID: .null, location: "http://host/bucket/a%2Fb")
        return PostObject.encode(output, for: try decode(form))
    }

    @Test(
        "The query of a redirect stands before its fragment, and the old name of the field counts where the new fails")
    func redirectDetails() throws {
        let query = "bucket=bucket&key=a%2Fb%20%0D%0A&etag=%22e%22"
        let withFragment = try answer(["success_action_redirect": "http://a/?b#c?d"])
        #expect(withFragment.fields["location"] == "http://a/?b&\(query)#c?d")
        let old = try answer(["success_action_redirect": "nonsense", "redirect": "http://a/"])
        #expect(old.fields["location"] == "http://a/?\(query)")
    }

    @Test(
        "The status is one of three, else 204",
        arguments: [
            ("200", 200), ("201", 201), ("204", 204), ("303", 204), ("", 204), ("404", 204), ("0200", 204),
        ])
    func statuses(_ text: String, _ status: Int) throws {
        let response = try answer(["success_action_status": text])
        #expect(response.status == status)
        #expect(response.fields["etag"] == "\"e\"")
        #expect(response.fields["location"] == "http://host/bucket/a%2Fb")
        #expect(response.fields["x-amz-version-id"] == "null")
        let document =
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<PostResponse><Location>http://host/bucket/a%2Fb</Location>"
            + "<Bucket>bucket</Bucket><Key>a/b &#xd;\n</Key><ETag>&quot;e&quot;</ETag></PostResponse>"
        #expect(String(decoding: response.body, as: UTF8.self) == (status == 201 ? document : ""))
        #expect(response.fields["content-type"] == (status == 201 ? "application/xml" : nil))
    }
}
