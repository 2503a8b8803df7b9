import Primitives
import Simulation
import Testing

/// Ranges, conditions, overrides and parts of reads.
///
/// Source: RFC 9110 §13 and §14, <https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html>
@Suite("Reads")
struct ReadTests {
    private func harness() async throws -> GatewayHarness {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "0123456789")
        try await harness.root.put("/bucket/empty", "")
        return harness
    }

    @Test(
        "A range that can be satisfied is answered with 206",
        arguments: [
            ("bytes=0-3", "0-3", "0123"), ("bytes=5-", "5-9", "56789"), ("bytes=-3", "7-9", "789"),
            ("bytes=-20", "0-9", "0123456789"), ("bytes=0-100", "0-9", "0123456789"), ("bytes=9-9", "9-9", "9"),
            ("bytes=3-18446744073709551616", "3-9", "3456789"), ("bytes=-99999999999999999999", "0-9", "0123456789"),
        ])
    func satisfiable(_ header: String, _ range: String, _ text: String) async throws {
        let harness = try await harness()
        let got = try await harness.root.get("/bucket/key", ["range": header])
        #expect(got.status == 206)
        #expect(got.text == text)
        #expect(got["content-range"] == "bytes \(range)/10")
        #expect(got["content-length"] == String(text.utf8.count))
        let head = try await harness.root.head("/bucket/key", ["range": header])
        #expect(head.status == 206)
        #expect(head["content-range"] == got["content-range"])
        #expect(head["content-length"] == got["content-length"])
    }

    @Test(
        "A range that cannot be satisfied is answered with 416 and the size",
        arguments: ["bytes=10-", "bytes=10-12", "bytes=-0", "bytes=18446744073709551616-"])
    func unsatisfiable(_ header: String) async throws {
        let harness = try await harness()
        let got = try await harness.root.get("/bucket/key", ["range": header])
        #expect(got.outcome == "416 InvalidRange")
        #expect(got["content-range"] == "bytes */10")
        #expect(got.text("ActualObjectSize") == "10")
        #expect(try await harness.root.head("/bucket/key", ["range": header]).status == 416)
    }

    @Test(
        "A range that does not parse, or is several, is ignored",
        arguments: [
            "bytes=3-2", "bytes=a-b", "items=0-1", "bytes=0-1,3-4", "bytes=", "bytes=-", "bytes 0-1", "bytes=1-2-3",
            "bytes=+1-2", "bytes=0x0-1", "Bytes=0-1",
        ])
    func ignored(_ header: String) async throws {
        let harness = try await harness()
        let got = try await harness.root.get("/bucket/key", ["range": header])
        #expect(got.status == 200)
        #expect(got.text == "0123456789")
    }

    @Test("No range of an empty object can be satisfied", arguments: ["bytes=0-", "bytes=0-0", "bytes=-1"])
    func emptyObject(_ header: String) async throws {
        let harness = try await harness()
        #expect(try await harness.root.get("/bucket/empty", ["range": header]).outcome == "416 InvalidRange")
        #expect(try await harness.root.get("/bucket/empty").status == 200)
    }

    @Test("Ranges within objects of several stripes and pieces are exact")
    func longRanges() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bytes = harness.environment.randomBytes(300_000)
        for (key, size) in [("large", 300_000), ("packed", 90_000)] {
            try await harness.root.put("/bucket/\(key)", Content(Array(bytes.prefix(size))))
            for range in [0..<1, 1023..<1025, 2047..<4097, 65_535..<65_537, 1..<size, (size - 1)..<size] {
                let got = try await harness.root.get(
                    "/bucket/\(key)", ["range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)"])
                #expect(got.body.elementsEqual(bytes[range]), "\(key) \(range)")
            }
        }
    }

    /// The object was changed at the harness's first second; `etag` is its tag.
    private static let conditionCases: [([(String, String)], Int)] = [
        ([("if-match", "etag")], 200), ([("if-match", "*")], 200), ([("if-match", "\"other\"")], 412),
        ([("if-match", "\"other\", etag")], 200), ([("if-match", "bare")], 200),
        ([("if-none-match", "etag")], 304), ([("if-none-match", "*")], 304), ([("if-none-match", "\"other\"")], 200),
        ([("if-none-match", "W/etag")], 304), ([("if-none-match", "\"other\",etag")], 304),
        ([("if-modified-since", "same")], 304), ([("if-modified-since", "later")], 304),
        ([("if-modified-since", "earlier")], 200), ([("if-modified-since", "yesterday or so")], 200),
        ([("if-unmodified-since", "same")], 200), ([("if-unmodified-since", "later")], 200),
        ([("if-unmodified-since", "earlier")], 412), ([("if-unmodified-since", "")], 200),
        // A tag overrules the date of its kind (RFC 9110 §13.2.2).
        ([("if-match", "etag"), ("if-unmodified-since", "earlier")], 200),
        ([("if-none-match", "etag"), ("if-modified-since", "earlier")], 304),
        ([("if-none-match", "\"other\""), ("if-modified-since", "later")], 200),
        ([("if-match", "\"other\""), ("if-none-match", "etag")], 412),
        ([("if-match", "etag"), ("if-none-match", "etag")], 304),
        // Conditions come before ranges.
        ([("if-match", "\"other\""), ("range", "bytes=0-1")], 412),
        ([("if-none-match", "etag"), ("range", "bytes=50-")], 304),
        ([("if-match", "etag"), ("range", "bytes=0-1")], 206),
        // A range holds only for the object that the client has a part of.
        ([("if-range", "etag"), ("range", "bytes=0-1")], 206),
        ([("if-range", "\"other\""), ("range", "bytes=0-1")], 200),
        ([("if-range", "W/etag"), ("range", "bytes=0-1")], 200),
        ([("if-range", "same"), ("range", "bytes=0-1")], 206),
        ([("if-range", "earlier"), ("range", "bytes=0-1")], 200),
        ([("if-range", "later"), ("range", "bytes=0-1")], 200),
        ([("if-range", "\"other\""), ("range", "bytes=50-")], 200),
        ([("if-range", "\"other\"")], 200),
    ]

    @Test("Conditions are evaluated as RFC 9110 and S3 say", arguments: conditionCases)
    func conditions(_ headers: [(String, String)], _ status: Int) async throws {
        let harness = try await harness()
        let etag = "\"781e5e245d69b566979b86e28d23f2c7\""
        let values = [
            "same": harness.now.httpDate, "later": (harness.now + .seconds(1)).httpDate,
            "earlier": (harness.now + .seconds(-1)).httpDate, "bare": "781e5e245d69b566979b86e28d23f2c7",
        ]
        var fields = HeaderFields()
        for (name, value) in headers {
            fields[name] =
                values[value]
                ?? String(
                    value.split(separator: "etag", omittingEmptySubsequences: false)
                        .joined(separator: etag))
        }
        let got = try await harness.root.get("/bucket/key", fields)
        #expect(got.status == status)
        #expect(try await harness.root.head("/bucket/key", fields).status == status)
        switch status {
        case 304:
            #expect(got.etag == etag)
            #expect(got["last-modified"] != nil)
        case 412: #expect(got.code == "PreconditionFailed")
        case 206: #expect(got.text == "01")
        default: #expect(got.text == "0123456789")
        }
    }

    @Test("A signed link may set the answer's headers, an anonymous one may not")
    func overrides() async throws {
        let harness = try await harness()
        try await harness.root.put(
            "/bucket?policy",
            Documents.policy(
                Documents.statement("Allow", "s3:GetObject", on: "bucket/*")))
        let query = [
            "content-type": "text/html", "content-language": "fr", "expires": "never", "cache-control": "no-cache",
            "content-disposition": "inline", "content-encoding": "br",
        ]
        let text = query.map { "response-\($0.key)=\(PercentCoding.encode($0.value.utf8))" }.joined(separator: "&")
        let target = "/bucket/key?\(text)"
        for got in [
            try await harness.root.get(target), try await harness.root.head(target),
            try await harness.root.presigned("GET", target),
        ] {
            #expect(got.status == 200)
            for (name, value) in query { #expect(got[name] == value, "\(name)") }
        }
        #expect(try await harness.anonymous.get("/bucket/key").status == 200)
        #expect(try await harness.anonymous.get("/bucket/key?response-expires=x").outcome == "400 InvalidRequest")
    }

    @Test("An object that was sent at once is its own part 1")
    func partNumber() async throws {
        let harness = try await harness()
        let first = try await harness.root.get("/bucket/key?partNumber=1")
        #expect(first.status == 206)
        #expect(first.text == "0123456789")
        #expect(first["content-range"] == "bytes 0-9/10")
        #expect(first["x-amz-mp-parts-count"] == nil)
        #expect(try await harness.root.get("/bucket/key?partNumber=2").outcome == "416 InvalidPartNumber")
        #expect(try await harness.root.head("/bucket/key?partNumber=2").status == 416)
        for number in ["0", "10001", "-1", "one", ""] {
            #expect(try await harness.root.get("/bucket/key?partNumber=\(number)").outcome == "400 InvalidArgument")
        }
        let both = try await harness.root.get("/bucket/key?partNumber=1", ["range": "bytes=0-1"])
        #expect(both.outcome == "400 InvalidRequest")
    }

    @Test("A checksum is told where it is asked for, and never with a part of the object")
    func checksumMode() async throws {
        let harness = try await harness()
        let enabled: HeaderFields = ["x-amz-checksum-mode": "ENABLED"]
        for got in [
            try await harness.root.get("/bucket/key", enabled), try await harness.root.head("/bucket/key", enabled),
        ] {
            #expect(got["x-amz-checksum-crc64nvme"] != nil)
            #expect(got["x-amz-checksum-type"] == "FULL_OBJECT")
        }
        #expect(try await harness.root.get("/bucket/key")["x-amz-checksum-crc64nvme"] == nil)
        var ranged = enabled
        ranged["range"] = "bytes=0-3"
        #expect(try await harness.root.get("/bucket/key", ranged)["x-amz-checksum-crc64nvme"] == nil)
    }
}
