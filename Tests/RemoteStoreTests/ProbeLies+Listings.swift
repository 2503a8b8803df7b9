import Primitives

@testable import RemoteStore

/// Lies of listings, uploads and what is not relied upon.
extension ProbeLie {
    private typealias Order = @Sendable (String, String) -> Bool
    private typealias Change = @Sendable (inout [String: Int], inout Call) -> Void

    private static let byBytes: Order = { $0.utf8.lexicographicallyPrecedes($1.utf8) }

    /// A listing of some folder in another order.
    private static func listing(in order: @escaping Order, of folder: String = "/list/") -> FakeBackend.Lie {
        listing(of: folder, in: order) { _, _ in }
    }

    /// A listing that is made of other sizes, or for another request.
    private static func listing(
        of folder: String = "/list/", in order: @escaping Order = byBytes, _ change: @escaping Change
    ) -> FakeBackend.Lie {
        { call, backend, honest in
            guard call.kind == .list, call.query["prefix"]?.contains(folder) == true else { return honest() }
            var (sizes, changed) = (backend.sizes, call)
            change(&sizes, &changed)
            return FakeBackend.listing(sizes, changed, isBefore: order)
        }
    }

    /// The same of those that follow the first page.
    private static func following(_ change: @escaping @Sendable (inout Call) -> Void) -> FakeBackend.Lie {
        listing { _, call in if call.query["continuation-token"] != nil { change(&call) } }
    }

    private static func last(_ sizes: [String: Int]) -> String {
        sizes.keys.filter { $0.contains("/list/00") }.max() ?? ""
    }

    static let listings: [ProbeLie] = [
        ProbeLie("a listing without the last", .listAfterWrite, lie: listing { sizes, _ in sizes[last(sizes)] = nil }),
        ProbeLie(
            "a listing with what is gone", .listAfterWrite,
            lie: listing { sizes, call in sizes["\(call.query["prefix"] ?? "")gone-1"] = 100 }),
        ProbeLie("a listing of wrong sizes", .listAfterWrite, lie: listing { sizes, _ in sizes[last(sizes)]? += 1 }),
        ProbeLie(
            "a listing of what is elsewhere", .listAfterWrite,
            lie: listing { _, call in call.query["prefix"] = "pool/probe-" }),
        ProbeLie(
            "a listing with one twice", .listAfterWrite,
            lie: { call, _, honest in
                var reply = honest()
                guard call.kind == .list, call.query["prefix"]?.contains("/list/") == true else { return reply }
                let parts = reply.text.split(separator: "<Contents>", maxSplits: 1).map(String.init)
                guard parts.count == 2, let end = parts[1].firstRange(of: "</Contents>") else { return reply }
                let entry = "<Contents>\(parts[1][..<end.upperBound])"
                reply.text = "\(parts[0])\(entry)\(entry)\(parts[1][end.upperBound...])"
                return reply
            }),
        ProbeLie(
            "no listing at all", .listAfterWrite,
            lie: { call, _, honest in
                call.kind == .list && call.query["max-keys"] == "1000" ? .document("<Error/>") : honest()
            }),
        ProbeLie("a listing from behind", .listOrder, lie: listing(in: { byBytes($1, $0) })),
        ProbeLie("short names first", .listOrder, lie: listing(in: { ($0.utf8.count, $0) < ($1.utf8.count, $1) })),
        ProbeLie(
            "letters before digits", .listOrder,
            lie: listing(in: { left, right in
                func turned(_ text: String) -> [UInt8] { text.utf8.map { $0 < 0x3a ? $0 + 0x50 : $0 } }
                return turned(left).lexicographicallyPrecedes(turned(right))
            })),
        ProbeLie("always from the beginning", .listOrder, lie: listing { _, call in call.query["start-after"] = nil }),
        ProbeLie(
            "behind the next one", .listOrder,
            lie: listing { sizes, call in
                guard let after = call.query["start-after"] else { return }
                let behind = sizes.keys.filter { after.utf8.lexicographicallyPrecedes($0.utf8) }
                call.query["start-after"] = behind.min { $0.utf8.lexicographicallyPrecedes($1.utf8) } ?? after
            }),
        ProbeLie(
            "only behind what is there", .listOrder,
            lie: listing { sizes, call in
                guard let after = call.query["start-after"], sizes[after] == nil else { return }
                call.query["start-after"] = "\u{7e}"
            }),
        ProbeLie(
            "folders before files", .listOrder, .limited,
            lie: listing(
                in: { left, right in
                    func parts(_ text: String) -> [String] { text.split(separator: "/").map(String.init) }
                    return parts(left).lexicographicallyPrecedes(parts(right))
                }, of: "/list-more/")),
        ProbeLie("the first page again and again", .listPage, lie: following { $0.query["continuation-token"] = nil }),
        ProbeLie(
            "a page that begins too late", .listPage,
            lie: listing { sizes, call in
                guard let token = call.query["continuation-token"].flatMap({ Hex.decode($0) }) else { return }
                let behind = sizes.keys.filter { token.lexicographicallyPrecedes($0.utf8) }
                let next = behind.min { $0.utf8.lexicographicallyPrecedes($1.utf8) } ?? ""
                call.query["continuation-token"] = Hex.encode(next.utf8)
            }),
        ProbeLie(
            "an end after the first page", .listPage,
            lie: { call, _, honest in
                var reply = honest()
                if call.kind == .list, call.query["max-keys"] == "2" {
                    reply.text = reply.text.replacing("<IsTruncated>true", with: "<IsTruncated>false")
                }
                return reply
            }),
        ProbeLie(
            "more on a page than asked for", .listPage, .limited,
            lie: listing { _, call in if call.query["max-keys"] == "2" { call.query["max-keys"] = "3" } }),
    ]

    static let uploads: [ProbeLie] = [
        ProbeLie("no uploads", .multipart, lie: instead(of: .create) { _ in .error(501, "NotImplemented") }),
        ProbeLie("an upload without an id", .multipart, lie: instead(of: .create) { _ in .document("<Other/>") }),
        ProbeLie("parts without an ETag", .multipart, lie: change(.part) { reply, _ in reply.fields = [] }),
        ProbeLie(
            "parts that are there at once", .multipart,
            lie: { call, backend, honest in
                // It is right once it is complete.
                if call.kind == .part, call.isAbout("multipart/whole") {
                    backend.put(call.key, (backend.object(call.key) ?? []) + call.body)
                }
                return honest()
            }),
        ProbeLie(
            "the first part alone", .multipart,
            lie: { call, backend, honest in
                guard call.kind == .part, call.query["partNumber"] == "2" else { return honest() }
                return Reply(fields: [("ETag", "\"2\"")])
            }),
        ProbeLie(
            "parts in the wrong order", .multipart,
            lie: { call, backend, honest in
                let reply = honest()
                if call.kind == .complete, let object = backend.object(call.key) {
                    backend.put(call.key, object.suffix(1024) + object.dropLast(1024))
                }
                return reply
            }),
        ProbeLie(
            "a byte of a part that is lost", .multipart,
            lie: { call, backend, honest in
                let reply = honest()
                if call.kind == .complete, var object = backend.object(call.key) {
                    object[object.count / 2] ^= 1
                    backend.put(call.key, object)
                }
                return reply
            }),
        ProbeLie(
            "an error behind 200", .multipart,
            lie: instead(of: .complete, "whole") { _ in .document("<Error><Code>InternalError</Code></Error>") }),
        ProbeLie(
            "a completion that comes to nothing", .multipart,
            lie: instead(of: .complete, "whole") { _ in .document("<CompleteMultipartUploadResult/>") }),
        ProbeLie(
            "parts of an upload that are read elsewhere", .multipart,
            lie: change(.get, "multipart/whole") { reply, _ in if reply.status == 206 { reply.body.reverse() } }),
        ProbeLie(
            "small parts that are lost", .multipart,
            lie: { call, backend, honest in
                guard call.kind == .complete, call.isAbout("multipart/small") else { return honest() }
                backend.put(call.key, [UInt8](repeating: 1, count: 1024))
                return .document("<CompleteMultipartUploadResult/>")
            }),
        ProbeLie(
            "an aborted upload is published", .multipart,
            lie: { call, backend, honest in
                if call.kind == .abort, call.isAbout("multipart/aborted") { backend.put(call.key, []) }
                return honest()
            }),
        ProbeLie(
            "no abortion", .multipart, lie: instead(of: .abort, "aborted") { _ in .error(405, "MethodNotAllowed") }),
        ProbeLie(
            "an abortion that does nothing", .multipart, .limited, lie: forget(.abort, "aborted", Reply(status: 204))),
        ProbeLie(
            "no listing of uploads", .multipart, .limited,
            lie: instead(of: .uploads) { _ in .error(501, "NotImplemented") }),
    ]

    static let options: [ProbeLie] = [
        ProbeLie(
            "no conditions", .conditionalPut, .limited,
            lie: { call, _, honest in
                call.field("if-none-match") != nil ? .error(501, "NotImplemented") : honest()
            }),
        ProbeLie("conditions that are not kept", .conditionalPut, .limited, lie: unconditioned("once")),
        ProbeLie("conditions that two keep", .conditionalPut, .limited, lie: unconditioned("race-2")),
        ProbeLie(
            "a condition that none keeps", .conditionalPut, .limited,
            lie: instead(of: .put, "condition/race-3") { _ in .error(412, "PreconditionFailed") }),
        ProbeLie(
            "a condition that fails otherwise", .conditionalPut, .limited,
            lie: { call, _, honest in
                var reply = honest()
                if reply.status == 412 { reply.status = 400 }
                return reply
            }),
        ProbeLie(
            "a refused PUT that is done", .conditionalPut,
            lie: { call, backend, honest in
                let reply = honest()
                if reply.status == 412 { backend.put(call.key, call.body) }
                return reply
            }),
        ProbeLie(
            "a race that the loser wins", .conditionalPut, .limited,
            lie: { call, backend, honest in
                let reply = honest()
                if reply.status == 412, call.isAbout("condition/race") { backend.put(call.key, call.body) }
                return reply
            }),
        ProbeLie(
            "no checksums", .checksumEcho, .limited,
            lie: instead(of: .put, "crc/right") { _ in .error(400, "InvalidRequest") }),
        ProbeLie("wrong checksums", .checksumEcho, .limited, lie: instead(of: .put, "crc/wrong") { _ in Reply() }),
        ProbeLie(
            "no echo", .checksumEcho, .limited,
            lie: change(.put, "crc/right") { reply, _ in reply.fields = [("x-amz-checksum-crc32c", "AAAAAA==")] }),
        ProbeLie("wrong hashes", .payloadHash, .limited, lie: instead(of: .put, "hash/wrong") { _ in Reply() }),
        ProbeLie(
            "wrong hashes that are taken all the same", .payloadHash,
            lie: { call, backend, honest in
                if call.isAbout("hash/wrong"), call.kind == .put {
                    backend.put(call.key, call.body)
                }
                return honest()
            }),
        ProbeLie("no ETag", .eTag, .good, lie: change(.put, "etag") { reply, _ in reply.fields = [] }),
        ProbeLie(
            "a small lie among many", .latency, lie: change(.get, "speed/19") { reply, _ in reply.body[1000] ^= 0x80 }),
        ProbeLie(
            "a long object in disorder", .throughput,
            lie: change(.get, "speed/long") { reply, _ in
                reply.body = Array(reply.body.dropFirst(65_536) + reply.body.prefix(65_536))
            }),
        ProbeLie(
            "a server that does not sync", .durabilityHint, .limited,
            lie: { _, _, honest in
                var reply = honest()
                reply.fields.append(("Server", "SeaweedFS 8000GB 4.48 \u{e9}"))
                return reply
            }),
        ProbeLie(
            "what stays", .removal, .limited,
            lie: instead(of: .delete, "speed/7") { _ in .error(403, "AccessDenied") }),
        ProbeLie("what is there for ever", .removal, .limited, lie: forget(.delete, "speed/7", Reply(status: 204))),
        ProbeLie(
            "no sight of what stays", .removal, .limited,
            lie: { call, _, honest in
                call.kind == .list && call.query["max-keys"] == "400" ? .error(500, "InternalError") : honest()
            }),
    ]

    private static func unconditioned(_ about: String) -> FakeBackend.Lie {
        { call, backend, honest in
            guard call.kind == .put, call.isAbout("condition/\(about)") else { return honest() }
            backend.put(call.key, call.body)
            return Reply()
        }
    }
}
