import NIOCore
import Primitives
import Testing

@testable import RemoteStore

@Suite struct AnswerTests {
    private func head(_ status: Int, _ fields: HeaderFields = [:]) -> ResponseHead {
        ResponseHead(status: status, fields: fields)
    }

    // MARK: Ranges

    @Test(arguments: [
        ("bytes 10-19/100", "10"), ("bytes 10-19/20", "10"), ("bytes 10-19/*", "10"), ("bytes 10-19/100", nil),
    ])
    func takesTheRangeThatWasAskedFor(_ range: String, _ length: String?) {
        var fields: HeaderFields = ["content-range": range]
        fields["content-length"] = length
        for status in [206, 200] { #expect(RangeAnswer(head(status, fields), wanted: 10..<20) == .exact) }
    }

    @Test func knowsAnObjectThatIsTooShort() {
        #expect(RangeAnswer(head(206, ["content-range": "bytes 10-14/15"]), wanted: 10..<20) == .outside)
        #expect(RangeAnswer(head(416), wanted: 10..<20) == .outside)
        #expect(RangeAnswer(head(200, ["content-length": "15"]), wanted: 0..<20) == .outside)
    }

    @Test func takesAWholeObjectForAllOfIt() {
        #expect(RangeAnswer(head(200, ["content-length": "20"]), wanted: 0..<20) == .exact)
    }

    @Test(arguments: [
        [("content-range", "bytes 0-9/100")], [("content-range", "bytes 10-20/100")],
        [("content-range", "bytes 9-19/100")],
        [("content-range", "bytes 10-14/100")], [("content-range", "bytes 10-14/*")],
        [("content-range", "bytes 10-19/19")],
        [("content-range", "bytes 19-10/100")], [("content-range", "items 10-19/100")],
        [("content-range", "bytes */100")],
        [("content-range", "bytes 10-19")], [("content-range", "bytes 10-19/-1")],
        [("content-range", "bytes +10-19/100")],
        [("content-range", "bytes 10-19/100"), ("content-length", "11")],
        [("content-range", "bytes 10-19/100"), ("content-range", "bytes 10-19/100")],
        [("content-range", "bytes 10-99999999999999999999/100")], [("content-type", "multipart/byteranges")],
    ])
    func namesPartsThatCannotBeRight(_ fields: [(String, String)]) {
        let fields = HeaderFields(fields.map { HeaderFields.Field(name: $0.0, value: $0.1) })
        guard case .wrong = RangeAnswer(head(206, fields), wanted: 10..<20) else {
            Issue.record("It was taken: \(fields)")
            return
        }
    }

    @Test func namesAWholeObjectThatIsNotWhatWasAskedFor() {
        for (length, wanted) in [("100", 10..<20), ("100", 0..<20)] as [(String, Range<Int64>)] {
            guard case .wrong = RangeAnswer(head(200, ["content-length": length]), wanted: wanted) else {
                Issue.record("It was taken.")
                continue
            }
        }
        guard case .wrong = RangeAnswer(head(200), wanted: 0..<20) else {
            Issue.record("A length that is not known was taken.")
            return
        }
    }

    // MARK: Listings

    private func page(_ body: String, after: String = "") throws(ListingPage.Wrong) -> ListingPage {
        try ListingPage(
            ByteBuffer(string: "<ListBucketResult>\(body)</ListBucketResult>"), prefix: "p/", after: Array(after.utf8))
    }

    private func contents(_ key: String, _ size: String = "1") -> String {
        "<Contents><Key>\(key)</Key><Size>\(size)</Size></Contents>"
    }

    private static let last = "<IsTruncated>false</IsTruncated>"

    @Test func readsAPage() throws {
        let first = try page(
            "<EncodingType>url</EncodingType><IsTruncated>true</IsTruncated>"
                + "<NextContinuationToken>t</NextContinuationToken>"
                + contents("p%2Fa%20b", "0") + contents("p%2Fc+d", "7"))
        #expect(first.entries.map(\.key) == [Array("p/a b".utf8), Array("p/c d".utf8)])
        #expect(first.entries.map(\.size) == [0, 7])
        #expect(first.token == "t")
        let second = try page(Self.last + contents("p/a%20b"), after: "p/a")
        #expect(second.entries.map(\.key) == [Array("p/a%20b".utf8)])
        #expect(second.token == nil)
    }

    @Test func namesPagesThatCannotBeRight() {
        let wrong = [
            Self.last + contents("p/b") + contents("p/a"), Self.last + contents("p/a") + contents("p/a"),
            Self.last + contents("q/a"), Self.last + contents("p/a", "-1"), Self.last + contents("p/a", "x"),
            Self.last + contents("p/a", "99999999999999999999"), Self.last + "<Contents><Size>1</Size></Contents>",
            contents("p/a"), "<IsTruncated>true</IsTruncated>" + contents("p/a"),
            "<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>",
            "<IsTruncated>true</IsTruncated><NextContinuationToken></NextContinuationToken>" + contents("p/a"),
            "<EncodingType>url</EncodingType>" + Self.last + contents("p/%zz"), "<IsTruncated>maybe</IsTruncated>",
        ]
        for body in wrong {
            #expect(throws: ListingPage.Wrong.self) { try page(body) }
        }
        #expect(throws: ListingPage.Wrong.self) { try page(Self.last + contents("p/a"), after: "p/a") }
        #expect(throws: ListingPage.Wrong.self) { try page(Self.last + contents("p/a"), after: "p/b") }
    }

    @Test(arguments: [
        "", "no document", "<Other><IsTruncated>false</IsTruncated></Other>", "<ListBucketResult>",
        "<!DOCTYPE a [<!ENTITY b \"c\">]><ListBucketResult><IsTruncated>false</IsTruncated></ListBucketResult>",
        String(repeating: "<a>", count: 1000), "<ListBucketResult>\0</ListBucketResult>",
    ])
    func namesDocumentsThatAreNoListing(_ text: String) {
        #expect(throws: ListingPage.Wrong.self) { try ListingPage(ByteBuffer(string: text), prefix: "", after: []) }
    }

    // MARK: Errors

    @Test func readsWhyABackendRefuses() {
        let fields: HeaderFields = [
            "x-amz-request-id": "tx1-2", "retry-after": "3", "date": "Thu, 26 Nov 2026 16:00:00 GMT",
        ]
        let answer = ErrorAnswer(head(503, fields), ByteBuffer(string: "<Error><Code>SlowDown</Code></Error>"))
        #expect(answer.description == "status 503 SlowDown (request tx1-2)")
        #expect(answer.isThrottling && answer.isPassing && !answer.isFull)
        #expect(answer.retryAfter == .seconds(3))
        #expect(answer.time?.httpDate == "Thu, 26 Nov 2026 16:00:00 GMT")
    }

    @Test(arguments: [
        "", "<html>", "<Error><Code>a b</Code></Error>", "<Error><Code>a\nb</Code></Error>",
        "<Error><Code></Code></Error>",
        "<Error><Code>\(String(repeating: "x", count: 129))</Code></Error>", "<Other><Code>AccessDenied</Code></Other>",
        "<!DOCTYPE a><Error><Code>AccessDenied</Code></Error>",
    ])
    func takesNoCodeFromWhatIsNone(_ text: String) {
        let answer = ErrorAnswer(head(403, ["x-amz-request-id": "a b"]), ByteBuffer(string: text))
        #expect(answer.description == "status 403")
    }

    // MARK: Uploads

    @Test func readsUploads() {
        func id(_ text: String) -> String? {
            let document = "<InitiateMultipartUploadResult>\(text)</InitiateMultipartUploadResult>"
            return MultipartAnswers.uploadID(ByteBuffer(string: document))
        }
        #expect(id("<UploadId>2~abc</UploadId>") == "2~abc")
        for wrong in ["", "<UploadId/>", "<UploadId>a b</UploadId>", "<UploadId>&#13;</UploadId>"] {
            #expect(id(wrong) == nil)
        }
        #expect(MultipartAnswers.uploadID(ByteBuffer(string: "<Other><UploadId>a</UploadId></Other>")) == nil)
    }

    @Test func doesNotBelieveTheStatusOfACompletion() {
        func failure(_ text: String) -> RemoteFault.Kind? {
            MultipartAnswers.failure(head(200), ByteBuffer(string: text))
        }
        #expect(failure("<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>") == nil)
        #expect(
            failure("<Error><Code>InternalError</Code></Error>")
                == .refused(ErrorAnswer(status: 200, code: "InternalError")))
        for wrong in ["", "<CompleteMultipartUploadResult>", "<Other/>", "ok"] {
            guard case .wrong = failure(wrong) else {
                Issue.record("It was taken: \(wrong)")
                continue
            }
        }
    }

    @Test func writesACompletion() {
        let document = String(buffer: MultipartAnswers.completion(of: ["\"a\"", "b&c"]))
        #expect(document.contains("<PartNumber>1</PartNumber><ETag>&quot;a&quot;</ETag>"))
        #expect(document.contains("<PartNumber>2</PartNumber><ETag>b&amp;c</ETag>"))
    }

    // MARK: The bucket

    @Test func readsWhatABucketIsLike() {
        func versioning(_ text: String) -> BackendAbilities.Versioning? {
            BucketAnswers.versioning(ByteBuffer(string: "<VersioningConfiguration>\(text)</VersioningConfiguration>"))
        }
        #expect(versioning("") == .off && versioning("<Status>Suspended</Status>") == .suspended)
        #expect(versioning("<Status>Enabled</Status>") == .enabled && versioning("<Status>enabled</Status>") == nil)
        #expect(BucketAnswers.versioning(ByteBuffer(string: "<ListBucketResult/>")) == nil)
        #expect(BucketAnswers.versioning(ByteBuffer(string: "<VersioningConfiguration>")) == nil)
        #expect(
            BucketAnswers.partPageLimit(ByteBuffer(string: "<ListPartsResult><MaxParts>9</MaxParts></ListPartsResult>"))
                == 9)
    }

    @Test func readsVersions() {
        let text =
            "<ListVersionsResult><Version><Key>a</Key><VersionId>1</VersionId></Version><DeleteMarker><Key>b</Key>"
            + "<VersionId>null</VersionId></DeleteMarker><Version><Key>c</Key></Version>"
            + "<Version><Key>d</Key><VersionId>a b</VersionId></Version></ListVersionsResult>"
        #expect(
            BucketAnswers.versions(ByteBuffer(string: text)) == [
                .init(key: "a", id: "1", isDeleteMarker: false), .init(key: "b", id: "null", isDeleteMarker: true),
            ])
        #expect(BucketAnswers.versions(ByteBuffer(string: "<ListBucketResult/>")) == nil)
    }

    @Test func readsWhereABucketIs() {
        let text = "<Error><Code>AuthorizationHeaderMalformed</Code><Region>eu-central-1</Region></Error>"
        #expect(ErrorAnswer(head(400), ByteBuffer(string: text)).region == "eu-central-1")
        #expect(ErrorAnswer(head(301, ["x-amz-bucket-region": "eu-west-1"]), ByteBuffer()).region == "eu-west-1")
        #expect(ErrorAnswer(head(301, ["x-amz-bucket-region": "no region"]), ByteBuffer()).region == nil)
    }
}
