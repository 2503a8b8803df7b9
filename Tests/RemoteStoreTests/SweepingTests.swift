import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

@Suite struct SweepingTests {
    typealias Answer = ScriptedServer.Answer

    private static let blobs = (1...4).map { "pool/blobs/\(BlobName(epoch: 1, counter: UInt64($0), random: 7))" }
    private let environment = SimulatedEnvironment(
        start: Timestamp(iso8601: "2026-03-10T12:00:00Z") ?? Timestamp(seconds: 0), sleeping: .skipping)

    private static func upload(_ key: String, _ id: String, _ initiated: String) -> String {
        "<Upload><Key>\(key)</Key><UploadId>\(id)</UploadId><Initiated>\(initiated)</Initiated></Upload>"
    }

    private static func page(_ uploads: [String], next: (key: String, id: String)? = nil, date: String? = nil) -> Answer
    {
        let more = next.map {
            "<NextKeyMarker>\($0.key)</NextKeyMarker><NextUploadIdMarker>\($0.id)</NextUploadIdMarker>"
        }
        return .status(
            200, date.map { ["Date: \($0)"] } ?? [],
            "<ListMultipartUploadsResult><IsTruncated>\(next != nil)</IsTruncated>\(more ?? "")\(uploads.joined())"
                + "</ListMultipartUploadsResult>")
    }

    /// What a sweep comes to where these are the uploads of blobs, and these those of probes.
    private func sweep(
        _ pages: [Answer], probes: Answer = page([]), abort: @escaping @Sendable (Int) -> Answer = { _ in .status(204) }
    ) async throws -> (count: Int?, error: StorageError?, requests: [ScriptedServer.Request]) {
        let (asked, aborted) = (Counter(), Counter())
        var outcome: (Int?, StorageError?, [ScriptedServer.Request])?
        try await ScriptedServer.with { request in
            guard request.method == "GET" else { return abort(aborted.next()) }
            return request.target.contains("probe-") ? probes : pages[min(asked.next(), pages.count) - 1]
        } use: { server in
            let store = try server.store(environment: environment)
            var count: Int?
            let error = await failure { () throws(StorageError) in
                count = try await store.abortUploads(olderThan: .seconds(86_400))
            }
            outcome = (count, error, server.requests)
        }
        return try #require(outcome)
    }

    private func aborted(_ requests: [ScriptedServer.Request]) -> [String] {
        requests.filter { $0.method == "DELETE" }.map { $0.target.replacing("/bucket/pool/", with: "") }
    }

    @Test func abortsWhatIsOldAndOurs() async throws {
        let uploads = [
            Self.upload(Self.blobs[0], "old", "2026-03-09T11:59:59Z"),
            Self.upload(Self.blobs[1], "young", "2026-03-09T12:00:01Z"),
            Self.upload(Self.blobs[2], "timeless", "EVIL"),
            Self.upload("pool/blobs/of-others", "foreign", "2026-03-01T00:00:00Z"),
            Self.upload("elsewhere/x", "stranger", "2026-03-01T00:00:00Z"),
        ]
        let probes = [
            Self.upload("pool/probe-1/multipart/whole", "probe", "2026-03-01T00:00:00Z"),
            Self.upload("pool/probe-2/multipart/whole", "new", "2026-03-10T11:00:00Z"),
        ]
        let (count, error, requests) = try await sweep([Self.page(uploads)], probes: Self.page(probes))
        #expect(error == nil && count == 2)
        let name = Self.blobs[0].replacing("pool/", with: "")
        #expect(aborted(requests) == ["\(name)?uploadId=old", "probe-1/multipart/whole?uploadId=probe"])
        #expect(requests.first?.target == "/bucket?uploads=&prefix=pool%2Fblobs%2F")
    }

    /// A clock that is ahead of the other one makes nothing older.
    @Test(arguments: ["Tue, 10 Mar 2026 11:00:00 GMT", "Fri, 13 Mar 2026 12:00:00 GMT"])
    func goesByTheEarlierClock(_ date: String) async throws {
        let upload = Self.upload(Self.blobs[0], "a", "2026-03-09T11:30:00Z")
        let (count, _, requests) = try await sweep([Self.page([upload], date: date)])
        let isOld = date.hasPrefix("Fri")
        #expect(count == (isOld ? 1 : 0) && aborted(requests).count == (isOld ? 1 : 0))
        let young = Self.upload(Self.blobs[0], "a", "2026-03-10T11:30:00Z")
        #expect(try await sweep([Self.page([young], date: date)]).count == 0)
    }

    @Test func goesThroughEveryPage() async throws {
        let old = "2026-03-01T00:00:00Z"
        let pages = [
            Self.page([Self.upload(Self.blobs[0], "a", old)], next: (Self.blobs[0], "a")),
            Self.page([Self.upload(Self.blobs[1], "b", old)], next: (Self.blobs[1], "b")),
            Self.page([Self.upload(Self.blobs[2], "c", old)]),
        ]
        let (count, _, requests) = try await sweep(pages)
        #expect(count == 3 && aborted(requests).count == 3)
        let marker = Self.blobs[1].replacing("/", with: "%2F")
        #expect(requests[2].target.hasSuffix("&key-marker=\(marker)&upload-id-marker=b"))
    }

    @Test func endsAListingWithoutEnd() async throws {
        let page = Self.page([], next: (Self.blobs[0], "a"))
        let (_, error, requests) = try await sweep([page])
        #expect(error?.unavailable?.contains("does not go on") == true)
        #expect(requests.count == 2)
        let calls = Counter()
        try await ScriptedServer.with { _ in
            Self.page([], next: (Self.blobs[0], "a\(calls.next())"))
        } use: { server in
            let count = try await server.store(environment: environment).abortUploads(olderThan: .seconds(1))
            #expect(count == 0 && server.requests.count == 200)
        }
    }

    @Test func oneThatStaysDoesNotKeepTheOthers() async throws {
        let uploads = (0..<4).map { Self.upload(Self.blobs[$0], "u\($0)", "2026-03-01T00:00:00Z") }
        let (_, error, requests) = try await sweep([Self.page(uploads)]) { number in
            number == 1 ? .error(403, "AccessDenied") : number == 2 ? .error(404, "NoSuchUpload") : .status(204)
        }
        #expect(error?.unavailable?.contains("AbortMultipartUpload: status 403") == true)
        #expect(aborted(requests).count == 4)
        let gone = try await sweep([Self.page(uploads)]) { $0 == 2 ? .error(404, "NoSuchUpload") : .status(204) }
        #expect(gone.count == 3)
    }

    @Test(arguments: [Answer.error(501, "NotImplemented"), .status(200, [], "<html/>"), .status(200, [], "EVIL")])
    func saysWhereUploadsCannotBeListed(_ answer: Answer) async throws {
        let (_, error, _) = try await sweep([answer])
        #expect(error?.unavailable?.hasPrefix("backend-7: ListMultipartUploads: ") == true)
    }
}
