import Cryptography
import Primitives
import Signing
import Synchronization

/// An S3 service in memory that keeps the laws of stores, as far as no lie is told before it.
final class FakeBackend: Sendable {
    typealias Answer = ScriptedServer.Answer

    /// A request, read.
    struct Call: Sendable {
        enum Kind: String, Sendable {
            case list, versioning, objectLock, lifecycle, versions, uploads
            case put, get, head, delete, deleteVersion
            case create, part, parts, complete, abort
        }

        let request: ScriptedServer.Request
        let kind: Kind
        let key: String
        var query: [String: String]
        /// Of calls of the kind, from 1 on.
        var number = 0

        var body: [UInt8] { request.body }
        func field(_ name: String) -> String? { request.values(name).first }
        /// Whether the key's last part begins so, or a part before it is so.
        func isAbout(_ name: String) -> Bool { key.contains("/\(name)") }
    }

    struct Reply: Sendable {
        var status = 200
        var fields: [(String, String)] = []
        var body: [UInt8] = []
        /// Whether the length is that of the body; otherwise it is told by whoever lies.
        var tellsLength = true
        /// Sent instead.
        var raw: Answer?

        static func error(_ status: Int, _ code: String, _ more: String = "") -> Reply {
            let text = "<Error><Code>\(code)</Code><Message>EVIL</Message><RequestId>R1</RequestId>\(more)</Error>"
            return Reply(status: status, body: Array(text.utf8))
        }

        static func document(_ text: String) -> Reply { Reply(body: Array(text.utf8)) }
        static func raw(_ answer: Answer) -> Reply { Reply(raw: answer) }
        var text: String {
            get { String(decoding: body, as: UTF8.self) }
            set { body = Array(newValue.utf8) }
        }
    }

    /// What is answered, given what would be right. The honest answer does what was asked; without it nothing is done.
    typealias Lie = @Sendable (Call, FakeBackend, () -> Reply) -> Reply

    struct State {
        var objects: [String: [UInt8]] = [:]
        /// What an object was before its last change.
        var earlier: [String: [UInt8]] = [:]
        var uploads: [String: (key: String, parts: [Int: [UInt8]])] = [:]
        var versions: [(key: String, id: String, isMarker: Bool)] = []
        var counts: [Call.Kind: Int] = [:]
        var last = 0

        mutating func next() -> Int {
            last += 1
            return last
        }
    }

    /// What the bucket is like.
    struct Bucket: Sendable {
        var versioning: String?
        var keepsVersions = false
        var leavesMarkers = false
        var objectLock: String?
        var lifecycle: String?
        var checksSignatures = true
        var skew = Duration.zero
    }

    let state = Mutex(State())
    private let bucket: Bucket
    private let environment: any Environment
    private let lie: Lie

    init(
        _ bucket: Bucket = Bucket(), environment: any Environment,
        lie: @escaping Lie = { _, _, honest in honest() }
    ) {
        (self.bucket, self.environment, self.lie) = (bucket, environment, lie)
    }

    /// What lies in the bucket, versions and uploads included.
    var left: [String] {
        state.withLock { state in
            state.objects.keys.sorted() + state.versions.map(\.key) + state.uploads.values.map(\.key)
        }
    }

    /// The bytes of every object.
    var sizes: [String: Int] { state.withLock { $0.objects.mapValues(\.count) } }

    func object(_ key: String) -> [UInt8]? { state.withLock { $0.objects[key] } }

    func put(_ key: String, _ bytes: [UInt8]) {
        state.withLock { $0.objects[key] = bytes }
    }

    var script: ScriptedServer.Script {
        { [self] request in
            var call = Self.call(request)
            call.number = state.withLock { state in
                state.counts[call.kind, default: 0] += 1
                return state.counts[call.kind] ?? 0
            }
            return answer(lie(call, self) { refusal(of: call) ?? reply(to: call) })
        }
    }

    private func answer(_ reply: Reply) -> Answer {
        if let raw = reply.raw { return raw }
        var lines = ["HTTP/1.1 \(reply.status) X", "Date: \((environment.now() + bucket.skew).httpDate)"]
        lines += ["Server: Fake/1"].filter { _ in !reply.fields.contains { $0.0 == "Server" } }
        lines += reply.fields.map { "\($0.0): \($0.1)" }
        if reply.tellsLength { lines.append("Content-Length: \(reply.body.count)") }
        return Answer(Array((lines + ["", ""]).joined(separator: "\r\n").utf8) + reply.body)
    }

    private static func call(_ request: ScriptedServer.Request) -> Call {
        let head = RequestHead(method: request.method, target: request.target, fields: [:])
        var query: [String: String] = [:]
        for parameter in head.query ?? [] {
            query[String(decoding: parameter.name, as: UTF8.self)] = String(decoding: parameter.value, as: UTF8.self)
        }
        let path = String(decoding: PercentCoding.decode(head.rawPath.utf8) ?? [], as: UTF8.self)
        let key = path.split(separator: "/", maxSplits: 1).dropFirst().first.map(String.init) ?? ""
        return Call(request: request, kind: kind(request.method, key, query), key: key, query: query)
    }

    private static func kind(_ method: String, _ key: String, _ query: [String: String]) -> Call.Kind {
        let hasID = query["uploadId"] != nil
        switch method {
        case "PUT": return hasID ? .part : .put
        case "POST": return hasID ? .complete : .create
        case "DELETE": return hasID ? .abort : query["versionId"] != nil ? .deleteVersion : .delete
        case "HEAD": return .head
        default: break
        }
        guard key.isEmpty else { return hasID ? .parts : .get }
        let kinds: [(String, Call.Kind)] = [
            ("versioning", .versioning), ("object-lock", .objectLock), ("lifecycle", .lifecycle),
            ("versions", .versions), ("uploads", .uploads),
        ]
        return kinds.first { query[$0.0] != nil }?.1 ?? .list
    }

    // MARK: What is right

    /// The refusal of a request that is signed wrongly, or at another time.
    private func refusal(of call: Call) -> Reply? {
        guard let date = call.field("x-amz-date").flatMap({ Timestamp(iso8601Basic: $0) }) else {
            return .error(403, "AccessDenied")
        }
        let now = environment.now() + bucket.skew
        guard date - now < .seconds(900), now - date < .seconds(900) else {
            return .error(403, "RequestTimeTooSkewed", "<ServerTime>\(now.iso8601)</ServerTime>")
        }
        guard bucket.checksSignatures else { return nil }
        var fields = HeaderFields()
        let own = ["authorization", "x-amz-date", "x-amz-content-sha256"]
        for line in call.request.lines.dropFirst() {
            let name = line.prefix { $0 != ":" }.lowercased()
            guard !own.contains(name), !fields.contains(name) else { continue }
            for value in call.request.values(name) { fields.append(name, value) }
        }
        var head = RequestHead(method: call.request.method, target: call.request.target, fields: fields)
        let payload = call.field("x-amz-content-sha256").flatMap { try? PayloadMode(headerValue: $0) } ?? .unsigned
        let signer = Signer(
            credentials: SigningCredentials(
                accessKeyID: "REMOTEACCESSKEY", secret: SecretKey(ScriptedServer.secret)), region: "us-east-1")
        // What cannot be signed is not signed right.
        guard (try? signer.sign(&head, payload: payload, at: date)) != nil,
            head.fields["authorization"] == call.field("authorization")
        else { return .error(403, "SignatureDoesNotMatch") }
        return nil
    }

    private func reply(to call: Call) -> Reply {
        switch call.kind {
        case .list: list(call)
        case .versioning:
            .document(
                "<VersioningConfiguration>\(bucket.versioning.map { "<Status>\($0)</Status>" } ?? "")"
                    + "</VersioningConfiguration>")
        case .objectLock:
            bucket.objectLock.map { Reply.document($0) } ?? .error(404, "ObjectLockConfigurationNotFoundError")
        case .lifecycle: bucket.lifecycle.map { Reply.document($0) } ?? .error(404, "NoSuchLifecycleConfiguration")
        case .versions: versions(call)
        case .uploads: uploads(call)
        case .put: put(call)
        case .get: get(call)
        case .head:
            state.withLock { state in
                guard let object = state.objects[call.key] else { return Reply(status: 404) }
                return Reply(fields: [("Content-Length", "\(object.count)")], tellsLength: false)
            }
        case .delete, .deleteVersion: delete(call)
        case .create, .part, .parts, .complete, .abort: multipart(call)
        }
    }

    private func put(_ call: Call) -> Reply {
        let body = call.body
        let hash = call.field("x-amz-content-sha256") ?? ""
        guard hash == "UNSIGNED-PAYLOAD" || hash == Hex.encode(Digest.hash(.sha256, body)) else {
            return .error(400, "XAmzContentSHA256Mismatch")
        }
        let crc = Base64.encode(Digest.hash(.crc32c, body))
        if let sent = call.field("x-amz-checksum-crc32c"), sent != crc { return .error(400, "BadDigest") }
        return state.withLock { state in
            if call.field("if-none-match") != nil, state.objects[call.key] != nil {
                return .error(412, "PreconditionFailed")
            }
            state.earlier[call.key] = state.objects[call.key]
            state.objects[call.key] = body
            let eTag = "\"\(Hex.encode(Digest.hash(.md5, body)))\""
            return Reply(fields: [("ETag", eTag), ("x-amz-checksum-crc32c", crc)])
        }
    }

    private func get(_ call: Call) -> Reply {
        guard let object = state.withLock({ $0.objects[call.key] }) else { return .error(404, "NoSuchKey") }
        return Self.part(of: object, call)
    }

    /// What a GET of an object with these bytes is answered.
    static func part(of object: [UInt8], _ call: Call) -> Reply {
        let ends = (call.field("range") ?? "").dropFirst(6).split(separator: "-").compactMap { Int($0) }
        guard ends.count == 2 else { return Reply(body: object) }
        guard ends[0] < object.count else { return .error(416, "InvalidRange") }
        let last = min(ends[1], object.count - 1)
        return Reply(
            status: 206, fields: [("Content-Range", "bytes \(ends[0])-\(last)/\(object.count)")],
            body: Array(object[ends[0]...last]))
    }

    private func delete(_ call: Call) -> Reply {
        state.withLock { state in
            if let id = call.query["versionId"] {
                state.versions.removeAll { $0.key == call.key && $0.id == id }
                return Reply(status: 204)
            }
            let object = state.objects.removeValue(forKey: call.key)
            if bucket.keepsVersions, object != nil {
                state.versions.append((call.key, "v\(state.next())", false))
            }
            if bucket.leavesMarkers { state.versions.append((call.key, "v\(state.next())", true)) }
            return Reply(status: 204)
        }
    }
}
