import Cryptography
import Gateway
import NIOCore
import Primitives
import Signing
import XML

/// Turns calls into signed requests and answers into what the model knows.
struct SimulatedClient {
    static let bucket = "bucket"

    /// What came back: nil for the answer where it leaves open what was done.
    struct Outcome: Sendable {
        var answer: Answer?
        var status: Int
        var requestID: String?
        /// What no client should ever see.
        var breach: String?
    }

    let process: SimulatedProcess
    let environment: any Environment
    let agent: String
    /// What it does before it sends or takes the next bytes of a body.
    let hesitate: @Sendable () async -> Void

    func perform(_ call: Call) async -> Outcome {
        var request = Request(call)
        request.head.fields["host"] = "gateway.test"
        request.head.fields["user-agent"] = agent
        request.head.fields["x-amz-content-sha256"] = "UNSIGNED-PAYLOAD"
        do {
            try Self.sign(&request.head, at: environment.now())
        } catch {
            return Outcome(status: 0, breach: "the request cannot be signed: \(error)")
        }
        if ["PUT", "POST"].contains(request.head.method) {
            request.head.fields["content-length"] = String(request.body.count)
        }
        let channel = RecordingChannel(hesitate: hesitate)
        let body = Body(
            length: Int64(request.body.count), source: HesitantSource(rest: request.body[...], hesitate: hesitate))
        await process.pipeline.handle(
            IncomingRequest(head: request.head, peerAddress: "192.0.2.7"), body: body, response: channel)
        return Self.outcome(call, channel.transcript)
    }

    static func sign(_ head: inout RequestHead, at time: Timestamp) throws {
        let credentials = SigningCredentials(accessKeyID: SimulatedProcess.keyID, secret: SimulatedProcess.secret)
        try Signer(credentials: credentials, region: SimulatedProcess.region).sign(&head, payload: .unsigned, at: time)
    }

    private static func outcome(_ call: Call, _ transcript: RecordingChannel.Transcript) -> Outcome {
        var outcome = Outcome(status: transcript.head?.status ?? 0)
        outcome.requestID = transcript.head?.fields["x-amz-request-id"]
        outcome.breach = transcript.violations.first
        guard let head = transcript.head, transcript.isFinished, !transcript.isAborted, head.status < 500 else {
            return outcome
        }
        let body = Array(transcript.bytes.readableBytesView)
        if head.status >= 300 {
            outcome.answer = .refused(status: head.status)
            if head.status == 409 { outcome.answer = nil }
        } else {
            outcome.answer = answer(call, head.fields, body)
            if outcome.answer == nil {
                outcome.breach = "the answer cannot be read: \(String(decoding: body, as: UTF8.self))"
            }
        }
        return outcome
    }

    private static func answer(_ call: Call, _ fields: HeaderFields, _ body: [UInt8]) -> Answer? {
        let version = fields["x-amz-version-id"]
        switch call {
        case .put, .putPart: return .done(etag: unquoted(fields["etag"]), version: version)
        case .delete, .abort, .setVersioning, .putTags: return .done(etag: nil, version: version)
        case .get, .head:
            var object = Answer.Object(etag: unquoted(fields["etag"]) ?? "", size: body.count, version: version)
            object.tag = fields["x-amz-meta-tag"].flatMap { Int($0) }
            if case .get = call { object.fingerprint = ContentCache.fingerprint(body) }
            if case .head = call { object.size = fields["content-length"].flatMap { Int($0) } ?? -1 }
            return .object(object)
        case .copy, .complete, .createUpload, .list, .listVersions, .getTags, .readSource, .putCopy:
            guard let root = try? XMLDocument.parse(body) else { return nil }
            return answer(call, root, version)
        }
    }

    private static func answer(_ call: Call, _ root: XMLElement, _ version: String?) -> Answer? {
        switch call {
        case .copy where root.name == "CopyObjectResult",
            .complete where root.name == "CompleteMultipartUploadResult":
            return .done(etag: unquoted(root.child("ETag")?.text), version: version)
        case .createUpload: return root.child("UploadId").map { .upload($0.text) }
        case .getTags:
            return .tags(root.child("TagSet")?.children("Tag").first?.child("Value")?.text)
        case .list:
            return .listed(
                root.children("Contents").map { entry in
                    Answer.Listed(
                        key: entry.child("Key")?.text ?? "", etag: unquoted(entry.child("ETag")?.text),
                        size: entry.child("Size").flatMap { Int($0.text) }, isLatest: true)
                })
        case .listVersions:
            return .listed(root.children.filter { ["Version", "DeleteMarker"].contains($0.name) }.map(listedVersion))
        default: return nil
        }
    }

    private static func listedVersion(_ entry: XMLElement) -> Answer.Listed {
        Answer.Listed(
            key: entry.child("Key")?.text ?? "", version: entry.child("VersionId")?.text,
            etag: unquoted(entry.child("ETag")?.text), size: entry.child("Size").flatMap { Int($0.text) },
            isLatest: entry.child("IsLatest")?.text == "true")
    }

    private static func unquoted(_ etag: String?) -> String? {
        etag.map { String($0.drop { $0 == "\"" }.prefix { $0 != "\"" }) }
    }
}

/// The body of a request, as its client sends it.
private struct HesitantSource: BodySource {
    var rest: ArraySlice<UInt8>
    let hesitate: @Sendable () async -> Void

    mutating func next() async throws(BodyError) -> ByteBuffer? {
        guard !rest.isEmpty else { return nil }
        await hesitate()
        defer { rest = rest.dropFirst(4096) }
        return ByteBuffer(bytes: rest.prefix(4096))
    }
}

/// A request before it is signed.
struct Request {
    var head: RequestHead
    var body: [UInt8] = []

    init(_ call: Call) {
        switch call {
        case .put(let key, let tag, let content, let condition):
            self.init("PUT", key)
            body = ContentCache.make(content)
            head.fields["x-amz-meta-tag"] = String(tag)
            switch condition {
            case .ifAbsent: head.fields["if-none-match"] = "*"
            case .ifMatch(let etag): head.fields["if-match"] = "\"\(etag)\""
            case nil: break
            }
        case .get(let key, let version, let range):
            self.init("GET", key, version.map { "versionId=\($0)" })
            if let range { head.fields["range"] = "bytes=\(range.lowerBound)-\(range.upperBound)" }
        case .head(let key, let version): self.init("HEAD", key, version.map { "versionId=\($0)" })
        case .delete(let key, let version): self.init("DELETE", key, version.map { "versionId=\($0)" })
        case .copy(let source, let key, let tag):
            self.init("PUT", key)
            head.fields["x-amz-copy-source"] = "/\(SimulatedClient.bucket)/\(source)"
            head.fields["x-amz-metadata-directive"] = "REPLACE"
            head.fields["x-amz-meta-tag"] = String(tag)
        case .list: self.init("GET", nil, "list-type=2")
        case .listVersions: self.init("GET", nil, "versions")
        case .createUpload(let key, let tag):
            self.init("POST", key, "uploads")
            head.fields["x-amz-meta-tag"] = String(tag)
        case .putPart(let key, let upload, let number, let content):
            self.init("PUT", key, "partNumber=\(number)&uploadId=\(upload)")
            body = ContentCache.make(content)
        case .complete(let key, let upload, let parts):
            self.init("POST", key, "uploadId=\(upload)")
            let listed = parts.sorted { $0.key < $1.key }.map {
                "<Part><PartNumber>\($0.key)</PartNumber><ETag>\"\($0.value)\"</ETag></Part>"
            }
            body = Array("<CompleteMultipartUpload>\(listed.joined())</CompleteMultipartUpload>".utf8)
        case .abort(let key, let upload): self.init("DELETE", key, "uploadId=\(upload)")
        case .putTags(let key, let value):
            self.init("PUT", key, "tagging")
            body = Array("<Tagging><TagSet><Tag><Key>k</Key><Value>\(value)</Value></Tag></TagSet></Tagging>".utf8)
            head.fields["content-md5"] = Base64.encode(Digest.hash(.md5, body))
        case .getTags(let key): self.init("GET", key, "tagging")
        case .setVersioning(let status):
            self.init("PUT", nil, "versioning")
            let document = "<VersioningConfiguration><Status>\(status.rawValue)</Status></VersioningConfiguration>"
            body = Array(document.utf8)
            head.fields["content-md5"] = Base64.encode(Digest.hash(.md5, body))
        case .readSource, .putCopy: preconditionFailure("these are steps of the model, and no requests")
        }
    }

    init(_ method: String, _ key: String?, _ query: String? = nil) {
        let path = "/" + SimulatedClient.bucket + (key.map { "/" + $0 } ?? "")
        head = RequestHead(method: method, target: path + (query.map { "?" + $0 } ?? ""), fields: [:])
    }
}
