import Audit
import Gateway
import Metadata
import NIOCore
import Primitives
import Simulation
import Testing
import TidegateTesting

/// Every request has its record, and no change goes without one.
@Suite("Records")
struct RecordTests {
    /// What a request leaves in the log.
    private func records(
        of harness: GatewayHarness, _ request: () async throws -> Received
    ) async throws -> (Received, [Recorded]) {
        let before = try await harness.records().count
        let answer = try await request()
        return (answer, Array(try await harness.records().dropFirst(before)))
    }

    @Test("Every operation that changes something has exactly one record, with what it did")
    func writes() async throws {
        let harness = try await GatewayHarness.withBucket()
        for call in try await WriteCall.all(harness) {
            let (answer, records) = try await records(of: harness) { try await call.send(by: harness.root) }
            #expect((200..<300).contains(answer.status), "\(call.name): \(answer)")
            #expect(
                records.map(\.name)
                    == (call.name == "DeleteObjects" ? ["DeleteObjects", "DeleteObjects"] : [call.name]))
            for record in records {
                #expect(record.error == nil)
                #expect(record.requestID == answer["x-amz-request-id"])
                #expect(record.json["readOnly"]?.boolValue == false)
                let names = call.target.split(separator: "?")[0].split(separator: "/", maxSplits: 1).map(String.init)
                #expect(record.bucket == names[0])
                if names.count > 1 { #expect(record.key == names[1]) }
                #expect(record.json["userIdentity"]?["accessKeyId"]?.stringValue == "KEY-root")
                #expect(record.json["userIdentity"]?["type"]?.stringValue == "Root")
            }
        }
        let ids = try await harness.records().map(\.id)
        #expect(Set(ids).count == ids.count, "no two records have one id")
        try await IndexLaws.check(harness)
    }

    @Test("Every read has exactly one record")
    func reads() async throws {
        let harness = try await GatewayHarness.withBucket(users: [.administrator("alice")])
        try await harness.root.put("/bucket/key", "content", ["x-amz-tagging": "a=1"])
        try await harness.root.put("/bucket/empty", "")
        let upload = try await harness.root.startUpload("/bucket/key")
        let attributes: HeaderFields = ["x-amz-object-attributes": "ETag"]
        let calls: [(String, String, HeaderFields, String)] = [
            ("GET", "/", [:], "ListBuckets"), ("GET", "/bucket", [:], "ListObjects"),
            ("GET", "/bucket?list-type=2", [:], "ListObjectsV2"),
            ("GET", "/bucket?versions", [:], "ListObjectVersions"),
            ("GET", "/bucket?uploads", [:], "ListMultipartUploads"), ("HEAD", "/bucket", [:], "HeadBucket"),
            ("GET", "/bucket?location", [:], "GetBucketLocation"), ("GET", "/bucket?acl", [:], "GetBucketAcl"),
            ("GET", "/bucket?versioning", [:], "GetBucketVersioning"),
            ("GET", "/bucket?logging", [:], "GetBucketLogging"),
            ("GET", "/bucket?cors", [:], "GetBucketCors"), ("GET", "/bucket/key", [:], "GetObject"),
            ("GET", "/bucket/empty", [:], "GetObject"), ("HEAD", "/bucket/key", [:], "HeadObject"),
            ("GET", "/bucket/key", ["range": "bytes=1-2"], "GetObject"),
            ("GET", "/bucket/key?acl", [:], "GetObjectAcl"),
            ("GET", "/bucket/key?tagging", [:], "GetObjectTagging"),
            ("GET", "/bucket/key?attributes", attributes, "GetObjectAttributes"),
            ("GET", "/bucket/key?uploadId=\(upload)", [:], "ListParts"), ("GET", "/bucket/none", [:], "GetObject"),
            ("HEAD", "/bucket/none", [:], "HeadObject"), ("GET", "/bucket/key", ["if-none-match": "*"], "GetObject"),
            ("GET", "/bucket?policy", [:], "GetBucketPolicy"), ("GET", "/none", [:], "ListObjects"),
        ]
        for (method, target, headers, name) in calls {
            let (answer, records) = try await records(of: harness) {
                try await harness.client("alice").send(method, target, headers)
            }
            #expect(records.map(\.name) == [name], "\(method) \(target)")
            let record = try #require(records.first)
            #expect(record.json["readOnly"]?.boolValue == true)
            #expect(record.requestID == answer["x-amz-request-id"])
            #expect((record.error == nil) == (answer.status < 300))
            if let code = answer.code { #expect(record.error == code) }
            #expect(record.json["userIdentity"]?["type"]?.stringValue == "IAMUser")
            #expect(record.json["userIdentity"]?["userName"]?.stringValue == "alice")
            if method == "GET", answer.status == 200 {
                let sent = record.json["additionalEventData"]?["bytesTransferredOut"]?.integerValue
                #expect(sent == Int64(answer.body.count), "\(target)")
            }
        }
    }

    @Test("Every refusal has exactly one record, whatever is wrong")
    func refusals() async throws {
        let harness = try await GatewayHarness.withBucket(users: [GatewayHarness.User(name: "nobody")])
        let cases: [(S3Client, String, String, String, String)] = [
            (harness.client("nobody"), "GET", "/bucket/key", "GetObject", "AccessDenied"),
            (harness.anonymous, "PUT", "/bucket/key", "PutObject", "AccessDenied"),
            (harness.client("unknown"), "GET", "/bucket/key", "Unknown", "InvalidAccessKeyId"),
            (harness.root, "GET", "/bucket?website&cors", "Unknown", "NotImplemented"),
            (harness.root, "PUT", "/bucket?website", "PutBucketWebsite", "NotImplemented"),
            (harness.root, "PATCH", "/bucket/key", "Unknown", "MethodNotAllowed"),
            (harness.root, "GET", "/bucket/key?versionId=x", "GetObject", "InvalidArgument"),
            (harness.root, "GET", "/%zz", "Unknown", "InvalidURI"),
            (harness.root, "GET", path("bucket", String(repeating: "a", count: 1025)), "Unknown", "KeyTooLongError"),
            (harness.root, "PUT", "/bucket?tagging", "PutBucketTagging", "MalformedXML"),
            (harness.root, "DELETE", "/none/key", "DeleteObject", "NoSuchBucket"),
        ]
        for (client, method, target, name, code) in cases {
            let (answer, records) = try await records(of: harness) {
                // A target that does not decode cannot be signed.
                target.contains("%zz") ? try await harness.anonymous.get(target) : try await client.send(method, target)
            }
            #expect(records.map(\.name) == [name], "\(method) \(target)")
            #expect(records.map(\.error) == [code])
            if method != "HEAD" { #expect(answer.code == code) }
            #expect(records.first?.requestID == answer["x-amz-request-id"])
        }
    }

    @Test("DeleteObjects has one record a key: deleted, refused, and named by no version")
    func deleteObjects() async throws {
        let alice = GatewayHarness.User(
            name: "alice", policies: [GatewayHarness.User.allow("s3:DeleteObject", on: "bucket/mine/*")])
        let harness = try await GatewayHarness.withBucket(users: [alice])
        let cases: [[DeleteItem]] = [
            ["mine/a", "mine/b"], ["mine/a", "theirs/a"], ["theirs/a", "theirs/b", "theirs/a"],
            [DeleteItem("mine/a", version: "nonsense")], ["mine/c"],
        ]
        for items in cases {
            let (answer, records) = try await records(of: harness) {
                try await harness.client("alice").deleteAll("bucket", items)
            }
            #expect(answer.status == 200)
            #expect(records.allSatisfy { $0.name == "DeleteObjects" && $0.requestID == answer["x-amz-request-id"] })
            #expect(records.compactMap(\.key).sorted() == items.map(\.key).sorted())
            #expect(records.count == items.count, "\(records)")
            for record in records {
                let isMine = record.key?.hasPrefix("mine/") == true
                let refusal = answer.texts("Error/Key").contains(record.key ?? "")
                #expect((record.error != nil) == refusal)
                if !isMine { #expect(record.error == "AccessDenied") }
            }
            #expect(Set(records.map(\.id)).count == records.count)
        }
        let (refused, records) = try await records(of: harness) {
            try await harness.client("alice").deleteAll("none", ["a", "b"])
        }
        #expect(refused.outcome == "404 NoSuchBucket")
        #expect(records.map(\.error) == ["NoSuchBucket"])
    }

    @Test("Noise of strangers is counted, and those who say who they are always have their record")
    func noise() async throws {
        let harness = try await GatewayHarness.withBucket(users: [GatewayHarness.User(name: "nobody")])
        let before = try await harness.records().count
        for _ in 0..<40 { _ = try await harness.anonymous.get("/bucket/key") }
        #expect(try await harness.records().count == before + 16)
        for _ in 0..<40 { _ = try await harness.client("nobody").get("/bucket/key") }
        #expect(try await harness.records().count == before + 56)
    }

    @Test("Noise is counted whatever the answer is", arguments: ["/bucket?website&cors", "/%zz"])
    func noiseOfAnyStatus(_ target: String) async throws {
        let harness = try await GatewayHarness.withBucket()
        let before = try await harness.records().count
        var statuses: Set<Int> = []
        for _ in 0..<40 { statuses.insert(try await harness.anonymous.get(target).status) }
        #expect(statuses == [target.contains("%") ? 400 : 501])
        #expect(try await harness.records().count == before + 16)
        #expect(!harness.observations.all.suffix(40).contains { !$0.isAnonymous })
        try await harness.gateway.noise.flush(into: harness.gateway, isLast: true)
        let last = try #require(try await harness.records().last)
        #expect(last.name == "UnauthenticatedRefusals")
        #expect(last.json["requestParameters"]?["count"]?.stringValue == "24")
    }

    @Test("The keys that a stranger may not delete share one record, which is one refusal of the stranger's")
    func strangersKeys() async throws {
        let harness = try await GatewayHarness.withBucket()
        // Where nothing could be allowed, the list is not even read.
        let policy = Documents.policy(Documents.statement("Allow", "s3:DeleteObject", on: "bucket/open/*"))
        #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
        let items = (0..<200).map { DeleteItem("\($0)/" + String(repeating: "k", count: 1000)) }
        let (answer, records) = try await records(of: harness) {
            try await harness.anonymous.deleteAll("bucket", items)
        }
        #expect(answer.texts("Error/Code") == Array(repeating: "AccessDenied", count: 200))
        #expect(records.map(\.error) == ["AccessDenied"])
        let record = try #require(records.first)
        #expect(record.name == "DeleteObjects")
        #expect(record.requestID == answer["x-amz-request-id"])
        #expect(record.json["requestParameters"]?["refusedKeys"]?.stringValue == "200")
        #expect(record.json["requestParameters"]?["refusedKeys-AccessDenied"]?.stringValue == "200")
        #expect(record.resources.count == 9)
        #expect(record.resources.dropFirst().first == "arn:aws:s3:::bucket/" + items[0].key)
        #expect(record.json.canonical.count < 20_000)
        // However many requests come, no more is written.
        let before = try await harness.records().count
        for _ in 0..<30 {
            let again = try await harness.anonymous.deleteAll("bucket", items)
            #expect(again.texts("Error/Code").count == 200)
        }
        #expect(try await harness.records().count == before + 15)
        try await harness.gateway.noise.flush(into: harness.gateway, isLast: true)
        let last = try #require(try await harness.records().last)
        #expect(last.json["requestParameters"]?["count"]?.stringValue == "15")
    }

    @Test("What a stranger may delete is recorded key by key, however much is refused")
    func strangersDeletions() async throws {
        let harness = try await GatewayHarness.withBucket()
        let policy = Documents.policy(Documents.statement("Allow", "s3:DeleteObject", on: "bucket/open/*"))
        #expect(try await harness.root.put("/bucket?policy", policy).status == 204)
        for _ in 0..<20 { _ = try await harness.anonymous.get("/bucket/key") }
        let (answer, records) = try await records(of: harness) {
            try await harness.anonymous.deleteAll("bucket", ["open/a", "closed/a", "open/b", "closed/b"])
        }
        #expect(answer.texts("Error/Key") == ["closed/a", "closed/b"])
        #expect(records.map(\.key) == ["open/a", "open/b"])
        #expect(records.allSatisfy { $0.error == nil })
    }

    @Test("Without a record of their refusal, strangers are told nothing of the keys")
    func unrecordedKeys() async throws {
        let harness = try await GatewayHarness.withBucket()
        harness.audit.fail(with: "the disk is full")
        let answer = try await harness.anonymous.deleteAll("bucket", ["a", "b"])
        #expect(answer.outcome == "503 ServiceUnavailable")
    }

    @Test("While the log takes no records, nothing is changed and nothing is answered")
    func refusingLog() async throws {
        let harness = try await GatewayHarness.withBucket()
        let calls = try await WriteCall.all(harness)
        try await harness.root.put("/bucket/long", Content([UInt8](repeating: 1, count: 300_000)))
        let before = try await harness.contents()
        harness.audit.fail(with: "the disk is full")
        for call in calls {
            let refused = try await call.send(by: harness.root)
            #expect(refused.outcome == "503 ServiceUnavailable", "\(call.name)")
            #expect(!refused.text.contains("disk"), "the reason is for the operator")
        }
        #expect(try await harness.contents() == before)
        for target in ["/bucket", "/bucket/key?tagging", "/", "/bucket/none"] {
            #expect(try await harness.root.get(target).outcome == "503 ServiceUnavailable", "\(target)")
        }
        // A read of an object is not completed without its record: the client lacks bytes, and knows it.
        let got = try await harness.root.get("/bucket/long")
        #expect(got.isAborted && got.body.count < 300_000)
        #expect(try await harness.root.get("/bucket/key").outcome == "503 ServiceUnavailable")
        #expect(harness.observations.all.contains { $0.reason?.contains("the disk is full") == true })
        harness.audit.fail(with: nil)
        #expect(try await harness.root.get("/bucket/long").status == 200)
    }

    @Test("A commit whose outcome was unknown has exactly one record, and the answer tells the truth")
    func unknownOutcomes() async throws {
        for fault in [ScriptedIndex.CommitFault.answerLost, .requestLost, .refused] {
            let harness = try await GatewayHarness.withBucket()
            for call in try await WriteCall.all(harness) where !["PutObjectAcl", "PutBucketAcl"].contains(call.name) {
                let before = try await harness.contents()
                let (answer, records) = try await records(of: harness) {
                    harness.index.failCommits(fault)
                    let answer = try await call.send(by: harness.root)
                    #expect(harness.index.takePendingFaults() == 0, "\(call.name) committed nothing")
                    return answer
                }
                if call.name == "DeleteObjects" {
                    #expect(records.count == 2)
                    continue
                }
                #expect(records.count == 1, "\(call.name): \(records)")
                let isDone = fault == .answerLost
                #expect((answer.status < 300) == isDone, "\(call.name): \(answer)")
                #expect((records.first?.error == nil) == isDone)
                if !isDone {
                    #expect(answer.outcome == "503 ServiceUnavailable")
                    #expect(try await harness.contents() == before, "\(call.name)")
                    #expect(try await call.send(by: harness.root).status < 300, "\(call.name)")
                }
            }
            try await IndexLaws.check(harness)
        }
    }

    @Test("An outcome that stays unknown is never reported as nothing done: no record hides the commit's own")
    func lostOutcome() async throws {
        let harness = try await GatewayHarness.withBucket()
        // The commit is applied, its answer is lost, and then the index cannot be asked.
        harness.index.failCommits(.answerLost)
        harness.index.loseOutcomes = true
        let answer = try await harness.root.put("/bucket/key", "content")
        #expect(answer.status == 500)
        harness.index.loseOutcomes = false
        #expect(try await harness.root.get("/bucket/key").text == "content", "what was committed is there")
        let puts = try await harness.records().filter { $0.name == "PutObject" }
        #expect(puts.contains { $0.error == nil }, "the commit's record is in the log")
        #expect(puts.contains { $0.error == "InternalError" }, "and so is the answer that was given")
        #expect(Set(puts.map(\.id)).count == puts.count)
        try await IndexLaws.check(harness)
    }
}
