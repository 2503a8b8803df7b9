import Primitives
import Synchronization
import Testing

@testable import RemoteStore

/// What a backend may be like that is not as it should be, and what the probe has to make of it.
struct ProbeLie: Sendable, CustomTestStringConvertible {
    let testDescription: String
    let ability: Ability
    let verdict: ProbeFinding.Verdict
    var bucket = FakeBackend.Bucket()
    let lie: FakeBackend.Lie

    init(
        _ name: String, _ ability: Ability, _ verdict: ProbeFinding.Verdict = .refused,
        lie: @escaping FakeBackend.Lie
    ) {
        (testDescription, self.ability, self.verdict, self.lie) = (name, ability, verdict, lie)
    }

    /// A bucket that is not as it should be, and says so as long as it does not say otherwise.
    init(
        _ name: String, _ ability: Ability, _ verdict: ProbeFinding.Verdict,
        _ change: (inout FakeBackend.Bucket) -> Void
    ) {
        self.init(name, ability, verdict) { _, _, honest in honest() }
        change(&bucket)
    }

    typealias Reply = FakeBackend.Reply
    typealias Call = FakeBackend.Call

    /// Another answer to the calls of a kind, or to those of them that are about something.
    static func instead(
        of kind: Call.Kind, _ about: String = "", _ reply: @escaping @Sendable (Call) -> Reply
    ) -> FakeBackend.Lie {
        { call, _, honest in call.kind == kind && (about.isEmpty || call.isAbout(about)) ? reply(call) : honest() }
    }

    /// The right answer to the calls of a kind, made wrong.
    static func change(
        _ kind: Call.Kind, _ about: String = "", _ change: @escaping @Sendable (inout Reply, Call) -> Void
    ) -> FakeBackend.Lie {
        { call, _, honest in
            var reply = honest()
            if call.kind == kind, about.isEmpty || call.isAbout(about), reply.status < 300 { change(&reply, call) }
            return reply
        }
    }

    /// The right answer without doing anything for it, as far as that can be known.
    static func forget(_ kind: Call.Kind, _ about: String, _ reply: Reply) -> FakeBackend.Lie {
        instead(of: kind, about) { _ in reply }
    }

    static let all = access + bucket + objects + ranges + deletions + listings + uploads + options

    // MARK: Who answers

    private static func first(_ reply: Reply) -> FakeBackend.Lie { instead(of: .list) { _ in reply } }

    private static let page = Reply(fields: [("Content-Type", "text/html")], body: Array("<html><p>EVIL</html>".utf8))

    static let access: [ProbeLie] = [
        ProbeLie("a web page", .reach, .refused, lie: first(page)),
        ProbeLie("a web page for an error", .reach, .refused, lie: first(Reply(status: 400, body: page.body))),
        ProbeLie("another document", .reach, .refused, lie: first(.document("<ListAllMyBucketsResult/>"))),
        ProbeLie("no HTTP", .reach, .refused, lie: first(.raw(.init("SSH-2.0-EVIL\r\n", closes: true)))),
        ProbeLie("nothing", .reach, .refused, lie: first(.raw(.nothing))),
        ProbeLie("an endless listing", .reach, .refused, lie: first(.raw(endless))),
        ProbeLie("an unknown access key", .credentials, .refused, lie: first(.error(403, "InvalidAccessKeyId"))),
        ProbeLie("a wrong secret", .credentials, .refused, lie: first(.error(403, "SignatureDoesNotMatch"))),
        ProbeLie("a session that is over", .credentials, .refused, lie: first(.error(400, "ExpiredToken"))),
        ProbeLie("no permission", .credentials, .refused, lie: first(.error(403, "AccessDenied"))),
        ProbeLie(
            "another region", .credentials, .refused,
            lie: first(.error(400, "AuthorizationHeaderMalformed", "<Region>eu-central-1</Region>"))),
        ProbeLie("no signature checked", .credentials, .limited, { $0.checksSignatures = false }),
        ProbeLie("no bucket", .bucket, .refused, lie: first(.error(404, "NoSuchBucket"))),
        ProbeLie("a bucket elsewhere", .bucket, .refused, lie: first(.error(301, "PermanentRedirect"))),
        ProbeLie("a redirect without an error", .bucket, .refused, lie: first(Reply(status: 307))),
        ProbeLie("a bucket out of order", .bucket, .refused, lie: first(.error(500, "InternalError"))),
        ProbeLie("a clock that is off", .clock, .limited, { $0.skew = .seconds(3600) }),
        ProbeLie("a clock that is a little off", .clock, .limited, { $0.skew = .seconds(-100) }),
        ProbeLie("a clock that is days off", .clock, .refused, { $0.skew = .seconds(200_000) }),
        ProbeLie(
            "a clock that is days off, unsaid", .clock, .refused,
            lie: first(
                .raw(.error(403, "AccessDenied", ["Date: Tue, 20 Nov 2023 00:00:00 GMT"])))),
        ProbeLie(
            "no time is right", .clock, .refused,
            lie: first(.error(403, "RequestTimeTooSkewed", "<ServerTime>2023-11-14T22:13:20Z</ServerTime>"))),
        ProbeLie(
            "a time before all times", .clock, .refused,
            lie: first(.error(403, "RequestTimeTooSkewed", "<ServerTime>1678-01-01T00:00:00Z</ServerTime>"))),
    ]

    private static let endless = ScriptedServer.Answer(
        Array("HTTP/1.1 200 X\r\n\r\n".utf8) + [UInt8](repeating: 0x20, count: 6 << 20))

    // MARK: The bucket

    private static let retention =
        "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule><DefaultRetention>"
        + "<Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule></ObjectLockConfiguration>"

    private static func rule(_ text: String) -> String {
        "<LifecycleConfiguration><Rule><ID>EVIL</ID>\(text)</Rule></LifecycleConfiguration>"
    }

    static let bucket: [ProbeLie] = [
        ProbeLie("versions", .versioning, .refused, { ($0.versioning, $0.keepsVersions) = ("Enabled", true) }),
        ProbeLie(
            "suspended versions", .versioning, .limited, { ($0.versioning, $0.leavesMarkers) = ("Suspended", true) }),
        ProbeLie("an unknown state of versions", .versioning, .unknown, { $0.versioning = "EVIL" }),
        ProbeLie(
            "no word of versions", .versioning, .unknown,
            lie: instead(of: .versioning) { _ in .error(501, "NotImplemented") }),
        ProbeLie("a retention", .objectLock, .refused, { $0.objectLock = retention }),
        ProbeLie(
            "Object Lock without a retention", .objectLock, .limited,
            { $0.objectLock = retention.replacing("<Rule>", with: "<Other>").replacing("</Rule>", with: "</Other>") }),
        ProbeLie("no word of Object Lock", .objectLock, .unknown, { $0.objectLock = "<ListBucketResult/>" }),
        ProbeLie(
            "a rule that removes", .lifecycle, .refused,
            { $0.lifecycle = rule("<Status>Enabled</Status><Filter/><Expiration><Days>30</Days></Expiration>") }),
        ProbeLie(
            "a rule that moves", .lifecycle, .refused,
            { $0.lifecycle = rule("<Prefix>po</Prefix><Transition><Days>1</Days></Transition>") }),
        ProbeLie(
            "a rule for some of ours", .lifecycle, .refused,
            {
                $0.lifecycle = rule(
                    "<Filter><And><Prefix>pool/blobs/</Prefix></And></Filter><Expiration><Date>2030</Date></Expiration>"
                )
            }),
        ProbeLie(
            "a rule that is off", .lifecycle, .good,
            { $0.lifecycle = rule("<Status>Disabled</Status><Expiration><Days>30</Days></Expiration>") }),
        ProbeLie(
            "a rule for others", .lifecycle, .good,
            { $0.lifecycle = rule("<Filter><Prefix>logs/</Prefix></Filter><Expiration><Days>30</Days></Expiration>") }),
        ProbeLie(
            "a rule for markers", .lifecycle, .good,
            {
                $0.lifecycle = rule(
                    "<Expiration><ExpiredObjectDeleteMarker>true</ExpiredObjectDeleteMarker></Expiration>")
            }),
    ]

    // MARK: Objects

    static let objects: [ProbeLie] = [
        ProbeLie(
            "403 for what is missing", .missingKey,
            lie: instead(of: .get, "nothing") { _ in .error(403, "AccessDenied") }),
        ProbeLie("404 without a document", .missingKey, lie: instead(of: .get, "nothing") { _ in Reply(status: 404) }),
        ProbeLie("an object under every key", .missingKey, lie: instead(of: .get, "nothing") { _ in Reply() }),
        ProbeLie(
            "no permission to write", .readAfterWrite, lie: instead(of: .put) { _ in .error(403, "AccessDenied") }),
        ProbeLie("a write that comes to nothing", .readAfterWrite, lie: forget(.put, "long", Reply())),
        ProbeLie(
            "a flipped bit", .readAfterWrite,
            lie: change(.get, "long") { reply, _ in if !reply.body.isEmpty { reply.body[reply.body.count / 9 * 7] ^= 1 }
            }),
        ProbeLie("a byte too few", .readAfterWrite, lie: change(.get, "byte") { reply, _ in reply.body.removeLast() }),
        ProbeLie("a byte too many", .readAfterWrite, lie: change(.get, "byte") { reply, _ in reply.body.append(0) }),
        ProbeLie("a byte of nothing", .readAfterWrite, lie: change(.get, "empty") { reply, _ in reply.body.append(0) }),
        ProbeLie(
            "an end too early", .readAfterWrite,
            lie: change(.get, "long") { reply, _ in
                reply.raw = .init(
                    Array("HTTP/1.1 200 X\r\nContent-Length: 100000\r\n\r\n".utf8) + reply.body.dropLast(), closes: true
                )
            }),
        ProbeLie(
            "an empty object is none", .readAfterWrite,
            lie: instead(of: .get, "empty") { _ in .error(404, "NoSuchKey") }),
        ProbeLie(
            "another length", .readAfterWrite,
            lie: change(.head) { reply, _ in reply.fields = [("Content-Length", "5")] }),
        ProbeLie(
            "there a little later", .readAfterWrite,
            lie: { call, _, honest in
                call.kind == .get && call.isAbout("long") && call.number == 2 ? .error(404, "NoSuchKey") : honest()
            }),
        ProbeLie(
            "what was there before", .overwrite,
            lie: { call, backend, honest in
                let earlier = backend.state.withLock { $0.earlier[call.key] }
                guard call.kind == .get, call.isAbout("again"), let earlier else { return honest() }
                return FakeBackend.part(of: earlier, call)
            }),
        ProbeLie(
            "no second write", .overwrite,
            lie: { call, backend, honest in
                let isThere = backend.object(call.key) != nil
                return call.kind == .put && call.isAbout("again") && isThere ? .error(409, "Conflict") : honest()
            }),
    ]

    static let ranges: [ProbeLie] = [
        ProbeLie(
            "the whole for a part", .rangeReads,
            lie: { call, backend, honest in
                guard call.kind == .get, call.field("range") != nil else { return honest() }
                return Reply(body: backend.object(call.key) ?? [])
            }),
        ProbeLie("another part", .rangeReads, lie: range { reply, _ in reply.body.reverse() }),
        ProbeLie("a part that ends early", .rangeReads, lie: range { reply, _ in reply.body = reply.body.dropLast() }),
        ProbeLie(
            "a part that is named wrongly", .rangeReads,
            lie: range { reply, _ in reply.fields = [("Content-Range", "bytes 1-2/100000")] }),
        ProbeLie("a part without a name", .rangeReads, lie: range { reply, _ in reply.fields = [] }),
        ProbeLie(
            "more than there is", .rangeReads,
            lie: { call, _, honest in
                guard call.field("range") == "bytes=100000-100000" else { return honest() }
                return Reply(status: 206, fields: [("Content-Range", "bytes 100000-100000/100001")], body: [0])
            }),
        ProbeLie(
            "a part that is longer than asked for", .rangeReads,
            lie: range { reply, _ in reply.body += reply.body + [1] }),
    ]

    private static func range(_ change: @escaping @Sendable (inout Reply, Call) -> Void) -> FakeBackend.Lie {
        Self.change(.get, "long") { reply, call in if reply.status == 206 { change(&reply, call) } }
    }

    static let deletions: [ProbeLie] = [
        ProbeLie("a deletion that does nothing", .delete, lie: forget(.delete, "list/gone-3", Reply(status: 204))),
        ProbeLie(
            "what is gone is read a little longer", .delete,
            lie: { call, _, honest in
                let reply = honest()
                let isGone = call.kind == .get && call.isAbout("list/gone-2") && reply.status == 404
                return isGone ? Reply(body: [UInt8](repeating: 1, count: 100)) : reply
            }),
        ProbeLie(
            "no deletion of nothing", .delete,
            lie: { call, backend, honest in
                let isThere = backend.object(call.key) != nil
                return call.kind == .delete && !isThere && call.isAbout("list/gone")
                    ? .error(400, "InvalidRequest") : honest()
            }),
        ProbeLie(
            "no deletion of what never was", .delete, lie: instead(of: .delete, "never") { _ in Reply(status: 404) }),
        ProbeLie("secret versions", .delete, .refused, { $0.keepsVersions = true }),
        ProbeLie("secret markers", .delete, .limited, { $0.leavesMarkers = true }),
        ProbeLie(
            "a deletion that is forbidden", .delete,
            lie: instead(of: .delete, "list/gone") { _ in .error(403, "AccessDenied") }),
    ]
}
