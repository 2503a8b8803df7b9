/// The bytes of a body: which ones, a number decides.
struct Content: Hashable, Sendable {
    var number: Int
    var size: Int
}

/// What a client asked for.
enum Call: Hashable, Sendable {
    /// A condition on what is current under the key.
    enum Condition: Hashable, Sendable {
        case ifAbsent
        case ifMatch(String)
    }

    /// `tag` names the operation: it is kept as the object's metadata.
    case put(key: String, tag: Int, Content, Condition?)
    /// `version` nil for the current one; `bytes` nil for all of them.
    case get(key: String, version: String?, bytes: ClosedRange<Int>?)
    case head(key: String, version: String?)
    case delete(key: String, version: String?)
    case copy(from: String, to: String, tag: Int)
    case list
    case listVersions
    case createUpload(key: String, tag: Int)
    case putPart(key: String, upload: String, number: Int, Content)
    case complete(key: String, upload: String, parts: [Int: String])
    case abort(key: String, upload: String)
    case putTags(key: String, value: String)
    case getTags(key: String)
    case setVersioning(ModelBucket.Versioning)
    /// The two steps of a copy, for the model alone: what is copied may change before the copy is there.
    case readSource(key: String, tag: Int)
    case putCopy(key: String, tag: Int)

    /// What the version is written with that the call makes at once.
    var tag: Int? {
        switch self {
        case .put(_, let tag, _, _), .copy(_, _, let tag): tag
        default: nil
        }
    }

    var isMutation: Bool {
        switch self {
        case .get, .head, .list, .listVersions, .getTags: false
        default: true
        }
    }
}

/// What a client was told.
enum Answer: Hashable, Sendable {
    /// An object's head, and the fingerprint of its bytes where they were asked for.
    struct Object: Hashable, Sendable {
        var tag: Int?
        var etag: String
        /// Bytes of the whole object for HEAD, of the range for GET.
        var size: Int
        var version: String?
        var fingerprint: UInt64?
    }

    struct Listed: Hashable, Sendable {
        var key: String
        var version: String?
        var etag: String?
        var size: Int?
        var isLatest: Bool
    }

    /// Refused, for good: nothing was changed.
    case refused(status: Int)
    /// What was asked for is done; with the new version's id and the ETag, where there are such.
    case done(etag: String?, version: String?)
    case object(Object)
    case listed([Listed])
    case upload(String)
    case tags(String?)
}

extension ModelBucket.Version: CustomStringConvertible {
    var description: String {
        let id = visibleID ?? "?"
        if isMarker { return "marker \(id)" }
        return "\(tag.map(String.init) ?? "?") \(id) \(etag) \(size) bytes" + (tags.map { ", tag " + $0 } ?? "")
    }
}

extension Operation {
    /// The steps that the model knows. A copy reads first and writes later, as Amazon's does; everything else is done
    /// at one moment.
    var steps: [Operation] {
        guard case .copy(let source, let key, let tag) = call else { return [self] }
        var (reading, writing) = (self, self)
        (reading.call, writing.call) = (.readSource(key: source, tag: tag), .putCopy(key: key, tag: tag))
        if case .refused = answer { return [reading] }
        guard case .done(let etag, _) = answer else { return [reading, writing] }
        reading.answer = .done(etag: etag, version: nil)
        reading.commit = nil
        return [reading, writing]
    }
}

/// One operation, as a client saw it.
struct Operation: Sendable, CustomStringConvertible {
    var client: Int
    var call: Call
    /// The step of the simulation at which it began.
    var invoked: Int
    /// When the answer came. Nil where none came, or one that leaves open what was done (5xx, a cut connection): it
    /// may have happened at any time since, or never.
    var returned: Int?
    var answer: Answer?
    /// When the client gave up waiting, for an operation that stays open.
    var ended: Int?
    /// What the client called itself, so that the record of the operation can be found without an answer.
    var agent = ""
    /// The place of its commit among all, where there was one: where a search for an order had best look first. Nothing
    /// is taken for right because of it.
    var commit: Int?
    /// The id that the answer named, and the status.
    var requestID: String?
    var status: Int?

    var description: String {
        let end = returned.map(String.init) ?? "…"
        let result = answer.map { "\($0)" } ?? "open (\(status.map(String.init) ?? "no answer"))"
        return "client \(client) \(invoked)–\(end): \(call) -> \(result)"
    }
}
