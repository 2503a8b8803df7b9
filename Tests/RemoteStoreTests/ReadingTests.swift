import NIOCore
import Primitives
import RemoteStore
import Storage
import Testing
import TidegateTesting

@Suite struct ReadingTests {
    typealias Answer = ScriptedServer.Answer

    /// What a read of bytes 2 to 6 comes to, with what the server saw.
    private func read(
        _ range: Range<Int64> = 2..<7, _ script: @escaping ScriptedServer.Script
    ) async throws -> (result: Result<String, StorageError>, requests: [ScriptedServer.Request]) {
        var outcome: (Result<String, StorageError>, [ScriptedServer.Request])?
        try await ScriptedServer.with(script) { server in
            let store = try server.store()
            do throws(StorageError) {
                let bytes = try await store.bytes(of: someName, range: range)
                outcome = (.success(String(decoding: bytes, as: UTF8.self)), server.requests)
            } catch {
                outcome = (.failure(error), server.requests)
            }
        }
        return try #require(outcome)
    }

    private func error(_ result: Result<String, StorageError>) -> StorageError? {
        if case .failure(let error) = result { error } else { nil }
    }

    @Test func asksForTheRangeSigned() async throws {
        let (result, requests) = try await read { _ in .part("2-6/10", "cdefg") }
        #expect(try result.get() == "cdefg")
        let request = try #require(requests.first)
        #expect(requests.count == 1)
        #expect(request.target == "/bucket/pool/blobs/\(someName)")
        #expect(request.values("range") == ["bytes=2-6"])
        // Every field is signed.
        let names = request.lines.dropFirst().compactMap { $0.split(separator: ":").first?.lowercased() }.sorted()
        let signed = names.filter { $0 != "authorization" }.joined(separator: ";")
        #expect(request.values("authorization").first?.contains("SignedHeaders=\(signed),") == true)
    }

    @Test(arguments: [
        Answer.part("0-4/10", "abcde"), .part("2-7/10", "cdefgh"), .part("2-5/10", "cdef"), .status(206, [], "cdefg"),
        .status(200, [], "abcdefghij"), .status(200, [], "cdefg"), .status(204),
    ])
    func namesAnAnswerThatIsNotTheRange(_ answer: Answer) async throws {
        let (result, requests) = try await read { _ in answer }
        let told = try #require(error(result)?.unavailable)
        #expect(told.hasPrefix("backend-7: GetObject: it answered"))
        #expect(requests.count == 1)
    }

    @Test func namesAnAnswerThatGoesOn() async throws {
        let body = "Transfer-Encoding: chunked\r\n\r\n6\r\ncdefgh\r\n0\r\n\r\n"
        let (result, _) = try await read { _ in Answer("HTTP/1.1 206 X\r\nContent-Range: bytes 2-6/10\r\n\(body)") }
        #expect(error(result)?.unavailable?.contains("more bytes than its range") == true)
    }

    @Test func anAnswerWithoutEndIsBrokenOff() async throws {
        // More than any buffer holds: a reader that took it all would not come to an end here.
        let chunk = "100000\r\n" + String(repeating: "x", count: 1 << 20) + "\r\n"
        let endless = Answer(
            "HTTP/1.1 206 X\r\nContent-Range: bytes 2-6/10\r\nTransfer-Encoding: chunked\r\n\r\n"
                + String(repeating: chunk, count: 24))
        let (result, _) = try await read { _ in endless }
        #expect(error(result)?.unavailable?.contains("more bytes than its range") == true)
    }

    @Test func namesAnAnswerThatEndsEarly() async throws {
        let body = "Transfer-Encoding: chunked\r\n\r\n3\r\ncde\r\n0\r\n\r\n"
        let (result, _) = try await read { _ in Answer("HTTP/1.1 206 X\r\nContent-Range: bytes 2-6/10\r\n\(body)") }
        #expect(error(result)?.unavailable?.contains("ended before its range") == true)
    }

    @Test func goesOnWhereAConnectionBroke() async throws {
        let (result, requests) = try await read { request in
            request.values("range") == ["bytes=2-6"]
                ? Answer("HTTP/1.1 206 X\r\nContent-Range: bytes 2-6/10\r\nContent-Length: 5\r\n\r\ncde", closes: true)
                : .part("5-6/10", "fg")
        }
        #expect(try result.get() == "cdefg")
        #expect(requests.map { $0.values("range") } == [["bytes=2-6"], ["bytes=5-6"]])
    }

    @Test func givesUpInTheEnd() async throws {
        let (result, requests) = try await read { _ in .nothing }
        #expect(error(result)?.unavailable?.hasPrefix("backend-7: GetObject: the connection broke") == true)
        #expect(requests.count == 4)
    }

    @Test func comesBackToABackendThatWasBusy() async throws {
        let calls = Counter()
        let (result, requests) = try await read { _ in
            let call = calls.next()
            return [1: .error(503, "SlowDown"), 2: .error(500, "InternalError")][call] ?? .part("2-6/10", "cdefg")
        }
        #expect(try result.get() == "cdefg")
        #expect(requests.count == 3)
    }

    @Test func tellsAMissingBlobFromAMissingBucket() async throws {
        #expect(error(try await read { _ in .error(404, "NoSuchKey") }.result)?.isNotFound == true)
        for answer in [Answer.error(404, "NoSuchBucket"), .status(404), .status(404, [], "<html>")] {
            #expect(error(try await read { _ in answer }.result)?.unavailable != nil)
        }
    }

    @Test func tellsWhatTheBackendSaidAndNoSecret() async throws {
        let (result, requests) = try await read { _ in .error(403, "SignatureDoesNotMatch") }
        let told = try #require(error(result)?.unavailable)
        #expect(told == "backend-7: GetObject: status 403 SignatureDoesNotMatch (request R1)")
        #expect(requests.count == 1)
    }

    @Test func arrangeBlobsThatAreTooShort() async throws {
        #expect(error(try await read { _ in .error(416, "InvalidRange") }.result)?.isInvalidRange == true)
        #expect(error(try await read { _ in .part("2-4/5", "cde") }.result)?.isInvalidRange == true)
        let (result, requests) = try await read(-1..<3) { _ in .nothing }
        #expect(error(result)?.isInvalidRange == true)
        #expect(requests.isEmpty)
    }

    @Test func looksForTheEndOfAnEmptyRange() async throws {
        let (there, requests) = try await read(5..<5) { _ in .part("4-4/5", "e") }
        #expect(try there.get().isEmpty)
        #expect(requests.first?.values("range") == ["bytes=4-4"])
        #expect(error(try await read(6..<6) { _ in .error(416, "InvalidRange") }.result)?.isInvalidRange == true)
        // An empty blob has no byte, but it is there.
        #expect(try await read(0..<0) { _ in .error(416, "InvalidRange") }.result.get().isEmpty)
        #expect(try await read(0..<0) { _ in .status(200) }.result.get().isEmpty)
        #expect(error(try await read(0..<0) { _ in .error(404, "NoSuchKey") }.result)?.isNotFound == true)
    }

    @Test func aSinkThatFailsIsNotTheStoresFault() async throws {
        try await ScriptedServer.with { _ in
            .part("0-9/10", "abcdefghij")
        } use: { server in
            var sink: any BodySink = FailingSink(after: 3, BodyError(.disconnected, "Gone."))
            let store = try server.store()
            var failed: StorageError?
            do throws(StorageError) { try await store.read(someName, range: 0..<10, into: &sink) } catch {
                failed = error
            }
            #expect(failed?.sink == .disconnected)
            #expect(server.requests.count == 1)
        }
    }

    @Test func followsTheClockOfABackend() async throws {
        let date = "Date: Tue, 14 Nov 2023 23:13:20 GMT"
        let (result, requests) = try await read { request in
            request.values("x-amz-date") == ["20231114T231320Z"]
                ? .part("2-6/10", "cdefg") : .error(403, "RequestTimeTooSkewed", [date])
        }
        #expect(try result.get() == "cdefg")
        #expect(requests.map { $0.values("x-amz-date") } == [["20231114T221320Z"], ["20231114T231320Z"]])
    }

    @Test("A refusal of whatever code may be for the time, where the backend's is far from ours")
    func followsAClockThatIsNotNamed() async throws {
        for (date, signed) in [("23:13:20", 2), ("21:13:20", 2), ("22:18:21", 2), ("22:18:20", 1), ("22:08:20", 1)] {
            let field = "Date: Tue, 14 Nov 2023 \(date) GMT"
            let (result, requests) = try await read { request in
                request.values("x-amz-date") == ["20231114T221320Z"]
                    ? .error(400, "AccessDenied", [field]) : .part("2-6/10", "cdefg")
            }
            #expect(Set(requests.map { $0.values("x-amz-date") }).count == signed, "\(date)")
            #expect((error(result) == nil) == (signed == 2))
        }
    }

    @Test func followsAClockBack() async throws {
        let (first, second) = ("Date: Tue, 14 Nov 2023 21:13:20 GMT", "Date: Tue, 14 Nov 2023 22:13:20 GMT")
        let calls = Counter()
        try await ScriptedServer.with { _ in
            switch calls.next() {
            case 1: .error(403, "RequestTimeTooSkewed", [first])
            case 3: .error(400, "AccessDenied", [second])
            default: .status(204)
            }
        } use: { server in
            let store = try server.store()
            for skew in [Duration.seconds(-3600), .zero] {
                try await store.delete(someName)
                #expect(store.clockSkew == skew)
            }
            #expect(server.requests.count == 4)
        }
    }

    @Test(arguments: ["Date: Tue, 14 Nov 2033 23:13:20 GMT", "Date: once"]) func followsNoClockTooFar(_ date: String)
        async throws
    {
        let (result, requests) = try await read { _ in .error(403, "RequestTimeTooSkewed", [date]) }
        #expect(error(result)?.unavailable?.contains("RequestTimeTooSkewed") == true)
        #expect(requests.count == 1)
    }
}
