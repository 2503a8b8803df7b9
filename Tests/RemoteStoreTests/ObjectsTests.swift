import NIOCore
import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

/// What is read of somebody else's objects in a bucket that is adopted.
@Suite struct ObjectsTests {
    typealias Answer = ScriptedServer.Answer

    private static let key = Array("pool/a/../ü b".utf8)
    private static let md5 = "9e107d9d372bb6826bd81d3542a419d6"
    private static let described = [
        "ETag: \"\(md5)\"", "Last-Modified: Wed, 21 Oct 2015 07:28:00 GMT", "Content-Type: text/x", "Expires: never",
        "X-Amz-Meta-Colour: green", "x-amz-meta-: nameless", "x-amz-storage-class: GLACIER", "Server: somebody",
    ]

    private func with<Value: Sendable>(
        _ script: @escaping ScriptedServer.Script, _ use: @escaping (RemoteStore) async throws(StorageError) -> Value
    ) async throws -> (result: Result<Value, StorageError>, requests: [ScriptedServer.Request]) {
        var outcome: (Result<Value, StorageError>, [ScriptedServer.Request])?
        try await ScriptedServer.with(script) { server in
            let store = try server.store()
            do throws(StorageError) {
                outcome = (.success(try await use(store)), server.requests)
            } catch {
                outcome = (.failure(error), server.requests)
            }
        }
        return try #require(outcome)
    }

    private func error<Value>(_ result: Result<Value, StorageError>) -> String? {
        if case .failure(let error) = result { error.description } else { nil }
    }

    // MARK: One object

    private func describe(_ fields: [String], length: Int = 7) async throws -> Result<RemoteObject?, StorageError> {
        let lines = ["HTTP/1.1 200 OK", "Content-Length: \(length)"] + fields + ["", ""]
        return try await with { _ in
            Answer(lines.joined(separator: "\r\n"))
        } _: {
            (store) throws(StorageError) in
            try await store.describe(Self.key)
        }.result
    }

    @Test func takesWhatS3StoresWithAnObject() async throws {
        let object = try #require(try await describe(Self.described).get())
        #expect(object.key == Self.key && object.size == 7)
        #expect(object.etag == Self.md5 && object.isMD5)
        #expect(object.modified == Timestamp(iso8601: "2015-10-21T07:28:00Z"))
        #expect(object.headers == ["content-type": "text/x", "expires": "never"])
        #expect(object.metadata["colour"] == "green")
        #expect(object.tags.isEmpty)
    }

    @Test(arguments: [
        ("\"\(md5)-3\"", "", false), (md5, "", true), ("W/\"\(md5)\"", "", true), ("\"0123\"", "", false),
        ("\"\(md5)\"", "x-amz-server-side-encryption: AES256", true),
        ("\"\(md5)\"", "x-amz-server-side-encryption: aws:kms", false),
        ("\"\(md5)\"", "x-amz-server-side-encryption-customer-algorithm: AES256", false),
    ])
    func tellsWhetherAnETagIsAnMD5(_ etag: String, _ more: String, _ isMD5: Bool) async throws {
        let fields = ["ETag: \(etag)", Self.described[1]] + (more.isEmpty ? [] : [more])
        #expect(try await describe(fields).get()?.isMD5 == isMD5)
    }

    @Test(arguments: [0, 1])
    func namesAnAnswerThatTellsTooLittle(_ missing: Int) async throws {
        var fields = Self.described
        fields.remove(at: missing)
        #expect(error(try await describe(fields))?.contains("lacks Content-Length, ETag or Last-Modified") == true)
        fields = Self.described
        fields[missing] = ["ETag: \"\"", "Last-Modified: yesterday"][missing]
        #expect(error(try await describe(fields))?.contains("lacks") == true)
    }

    @Test func asksForTagsWhereThereAreSome() async throws {
        let tags = """
            <Tagging><TagSet><Tag><Key>a</Key><Value>1&amp;2</Value></Tag><Tag><Key>b</Key></Tag></TagSet></Tagging>
            """
        let head = (["HTTP/1.1 200 OK", "Content-Length: 7", "x-amz-tagging-count: 1"] + Self.described + ["", ""])
            .joined(separator: "\r\n")
        let (result, requests) = try await with { request in
            request.method == "HEAD" ? Answer(head) : .status(200, [], tags)
        } _: { (store) throws(StorageError) in
            try await store.describe(Self.key)
        }
        let found = try result.get()?.tags ?? []
        #expect(found.map(\.key) == ["a"] && found.map(\.value) == ["1&2"])
        #expect(requests.map(\.target) == ["/bucket/pool/a/../%C3%BC%20b", "/bucket/pool/a/../%C3%BC%20b?tagging="])
    }

    @Test func tellsWhatIsGone() async throws {
        let gone = try await with { _ in
            Answer("HTTP/1.1 404 X\r\nContent-Length: 0\r\n\r\n")
        } _: {
            (store) throws(StorageError) in
            try await store.describe(Self.key)
        }
        #expect(try gone.result.get() == nil)
        let refused = try await with { _ in
            Answer("HTTP/1.1 403 X\r\nContent-Length: 0\r\n\r\n")
        } _: {
            (store) throws(StorageError) in
            try await store.describe(Self.key)
        }
        #expect(error(refused.result)?.contains("backend-7") == true)
    }

    // MARK: Listings

    private static func page(_ keys: [String], next: String? = nil) -> Answer {
        let entries = keys.map { "<Contents><Key>\($0)</Key><Size>1</Size></Contents>" }.joined()
        let token = next.map { "<NextContinuationToken>\($0)</NextContinuationToken>" } ?? ""
        return .status(
            200, [],
            "<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>\(next != nil)</IsTruncated>\(token)"
                + "\(entries)</ListBucketResult>")
    }

    private func keys(
        _ answer: Answer, token: String? = nil
    ) async throws -> Result<(keys: [String], next: String?), StorageError> {
        try await with { _ in
            answer
        } _: { (store) throws(StorageError) in
            let page = try await store.objectKeys(from: token)
            return (page.keys.map { String(decoding: $0, as: UTF8.self) }, page.next)
        }.result
    }

    @Test func listsInWhateverOrder() async throws {
        let page = try await keys(Self.page(["pool/z", "pool/a%20b", "elsewhere/x", "pool/%C3%BC"], next: "T")).get()
        #expect(page.keys == ["pool/z", "pool/a b", "pool/ü"] && page.next == "T")
    }

    @Test func namesAListingThatDoesNotGoOn() async throws {
        #expect(error(try await keys(Self.page(["pool/a"], next: "T"), token: "T"))?.contains("does not go on") == true)
        #expect(error(try await keys(Self.page([], next: "T")))?.contains("empty, and not the last") == true)
        #expect(error(try await keys(.status(200, [], "<html/>")))?.contains("another document") == true)
        #expect(error(try await keys(.status(200, [], "<ListBucketResult/>")))?.contains("whether it goes on") == true)
    }

    // MARK: Bytes

    private func read(_ answer: Answer) async throws -> (
        result: Result<String, StorageError>, requests: [ScriptedServer.Request]
    ) {
        try await with { _ in
            answer
        } _: { (store) throws(StorageError) in
            var sink: any BodySink = BufferingSink()
            try await store.readObject(Self.key, etag: "e", range: 2..<7, into: &sink)
            return (sink as? BufferingSink).map { String(decoding: $0.bytes.readableBytesView, as: UTF8.self) } ?? ""
        }
    }

    @Test func readsTheObjectThatItWas() async throws {
        let (result, requests) = try await read(.part("2-6/10", "cdefg", ["ETag: \"e\""]))
        #expect(try result.get() == "cdefg")
        #expect(requests.first?.values("if-match") == ["\"e\""])
        #expect(requests.first?.target == "/bucket/pool/a/../%C3%BC%20b")
    }

    /// Also where the backend does not know the condition.
    @Test(arguments: [
        Answer.part("2-6/10", "CDEFG", ["ETag: \"other\""]), .error(412, "PreconditionFailed"),
        .error(404, "NoSuchKey"), .error(416, "InvalidRange"), .part("2-4/5", "cde", ["ETag: \"e\""]),
    ])
    func servesNoOther(_ answer: Answer) async throws {
        let result = try await read(answer).result
        guard case .failure(.unavailable(let detail)) = result else {
            Issue.record("It came to \(result).")
            return
        }
        #expect(detail.contains("backend-7"))
    }
}
