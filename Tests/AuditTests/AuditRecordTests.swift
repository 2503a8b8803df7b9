import Audit
import Primitives
import Testing

@Suite("Audit records")
struct AuditRecordTests {
    @Test("have CloudTrail's fields, as canonical JSON")
    func fields() throws {
        let record = AuditRecord(Samples.event(7, errorCode: "AccessDenied"))
        let json = try JSON.parse(record.canonicalJSON)
        #expect(json.canonical == record.canonicalJSON)
        #expect(json["eventName"] == "PutObject")
        #expect(json["eventTime"] == "2023-11-14T22:13:20.000Z")
        #expect(json["eventSource"] == "s3.amazonaws.com")
        #expect(json["eventCategory"] == "Data")
        #expect(json["eventType"] == "AwsApiCall")
        #expect(json["eventID"] == "event-7")
        #expect(json["errorCode"] == "AccessDenied")
        #expect(json["errorMessage"] == nil)
        #expect(json["readOnly"] == false)
        #expect(json["userIdentity"]?["accessKeyId"] == "AKIAEXAMPLE")
        #expect(json["requestParameters"]?["key"] == "a \"b\"/ü\n\u{1}7")
        #expect(json["responseElements"] == .null)
        #expect(json["resources"] == [["ARN": "arn:aws:s3:::photos/x", "type": "AWS::S3::Object"]])
        #expect(json["additionalEventData"]?["bytesTransferredIn"] == 17)
        #expect(json["additionalEventData"]?["statements"] == ["ann#0"])
        #expect(json["additionalEventData"]?["truncated"] == nil)
    }

    @Test("keep a key of 1,024 bytes whole")
    func longestKey() throws {
        let key = String(repeating: "k", count: 1024)
        var event = Samples.event()
        event.requestParameters = ["key": key]
        let json = try JSON.parse(AuditRecord(event).canonicalJSON)
        #expect(json["requestParameters"]?["key"] == .string(key))
        #expect(json["additionalEventData"]?["truncated"] == nil)
    }

    @Test("fit their bound whatever a client sends", arguments: ["x", "\u{1}", "\"", "ü", "𝄞"])
    func bound(_ piece: String) throws {
        let long = String(repeating: piece, count: 6000)
        var event = Samples.event()
        event.userAgent = long
        event.errorMessage = long
        event.eventName = long
        event.requestID = long
        event.sourceIPAddress = long
        event.userIdentity = AuditIdentity(
            type: long, principalID: long, arn: long, accountID: long, accessKeyID: long, userName: long)
        event.requestParameters = Dictionary(uniqueKeysWithValues: (0..<60).map { ("\($0)" + long, long) })
        event.responseElements = event.requestParameters
        event.resources = Array(repeating: AuditResource(arn: long, type: long), count: 60)
        event.additionalEventData.statements = Array(repeating: long, count: 60)
        event.additionalEventData.backends = Array(repeating: long, count: 60)
        event.eventID = long
        let record = AuditRecord(event)
        #expect(record.canonicalJSON.count <= AuditRecord.maximumSize)
        let json = try JSON.parse(record.canonicalJSON)
        #expect(json["additionalEventData"]?["truncated"] == true)
        #expect(json["eventID"]?.stringValue == record.eventID)
        let link = ChainLink(
            sequence: 1 << 52, node: String(repeating: "n", count: 64), epoch: .max, previous: ChainLink.origin)
        #expect(try LinkableRecord(record).linked(link).count <= 65_535)
    }

    @Test(
        "leave out parameters that carry credentials",
        arguments: [
            "X-Amz-Signature", "x-amz-security-token", "Authorization", "X-Amz-Credential", "Signature", "policy",
            "x-amz-server-side-encryption-customer-key", "X-Amz-Server-Side-Encryption-Customer-Key-MD5",
            "x-amz-copy-source-server-side-encryption-customer-key",
        ])
    func secrets(_ name: String) throws {
        var event = Samples.event()
        event.requestParameters = [name: "SECRETVALUE", "key": "k"]
        let record = AuditRecord(event)
        #expect(!String(decoding: record.canonicalJSON, as: UTF8.self).contains("SECRETVALUE"))
        #expect(try JSON.parse(record.canonicalJSON)["requestParameters"] == ["key": "k"])
    }

    @Test("of the gateway's own acts are told apart from requests")
    func system() throws {
        let event = AuditEvent.system("RepairShard", id: "e", at: Samples.time, region: "us-east-1")
        let json = try JSON.parse(AuditRecord(event).canonicalJSON)
        #expect(json["eventType"] == "AwsServiceEvent")
        #expect(json["eventSource"] == "tidegate")
        #expect(json["userIdentity"]?["type"] == "AWSService")
        #expect(json["eventCategory"] == "Management")
    }
}

@Suite("Linking a record")
struct LinkableRecordTests {
    private let link = ChainLink(sequence: 42, node: "gate-1", epoch: 3, previous: [UInt8](repeating: 0xAB, count: 32))

    @Test(
        "gives canonical JSON with the link's members",
        arguments: [
            "{}", #"{"a":1}"#, #"{"z":1}"#, #"{"f":1}"#, #"{"epocha":1,"nod":2,"nodf":3,"prew":4,"seqa":5}"#,
            #"{"a":{"seq":[1,{"x":"}\\\""}]},"eventID":"\"],{","zz":[]}"#, #"{"":1,"ü":2}"#,
        ])
    func canonical(_ text: String) throws {
        let record = AuditRecord(eventID: "e", canonicalJSON: Array(text.utf8))
        let line = try LinkableRecord(record).linked(link)
        var expected = try #require(try JSON.parse(Array(text.utf8)).objectValue)
        expected["seq"] = 42
        expected["node"] = "gate-1"
        expected["epoch"] = 3
        expected["prev"] = .string(String(repeating: "ab", count: 32))
        #expect(
            String(decoding: line, as: UTF8.self) == String(decoding: JSON.object(expected).canonical, as: UTF8.self))
        #expect(line.count - text.utf8.count <= ChainLink.maximumSize)
    }

    @Test("of an event is read back")
    func readBack() throws {
        let line = try LinkableRecord(Samples.record(9)).linked(link)
        #expect(try JSON.parse(line).canonical == line)
        let record = try #require(LinkedRecord(line: line))
        #expect(record.link == link)
        #expect(record.eventID == "event-9")
        #expect(record.eventName == "PutObject")
        #expect(record.isDoneMutation)
        #expect(record.hash == RecordHash.of(line))
    }

    @Test(
        "refuses what is no object, and names that belong to the log",
        arguments: [
            "", "{", "}", "[]", "{]", #"{"a"}"#, #"{"a":}"#, #"{"a":1,}"#, #"{,"a":1}"#, #"{"a":"x}"#, #"{"a":]}"#,
            #"{"seq":1}"#, #"{"a":1,"prev":"x"}"#, #"{"node":1}"#, #"{"epoch":1}"#, #"{"a":"\"}"#,
        ])
    func refusal(_ text: String) {
        #expect(throws: AuditError.malformed("e")) {
            _ = try LinkableRecord(AuditRecord(eventID: "e", canonicalJSON: Array(text.utf8)))
        }
    }

    @Test("refuses a record over its bound")
    func tooLarge() {
        let text = #"{"a":""# + String(repeating: "x", count: AuditRecord.maximumSize) + #""}"#
        #expect(throws: AuditError.tooLarge(text.utf8.count)) {
            _ = try LinkableRecord(AuditRecord(eventID: "e", canonicalJSON: Array(text.utf8)))
        }
    }

    @Test(
        "heads are written and read",
        arguments: ["", "1", "1:", ":00", "1:zz", "-1:" + String(repeating: "0", count: 64)])
    func heads(_ wrong: String) {
        #expect(AuditHead(wrong) == nil)
        let head = AuditHead(sequence: 12, hash: [UInt8](repeating: 7, count: 32))
        #expect(AuditHead("\(head)") == head)
    }
}
