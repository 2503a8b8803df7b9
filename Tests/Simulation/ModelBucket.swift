import Cryptography
import Primitives

/// What S3 says that a bucket does, as one value: written from Amazon's documentation, without a look at how the
/// gateway does it.
///
/// Sources: the S3 API reference of each operation; "Using versioning in S3 buckets"; "How to prevent object overwrites
/// with conditional writes" (Amazon S3 user guide).
struct ModelBucket: Hashable, Sendable {
    enum Versioning: String, Hashable, Sendable, CaseIterable {
        case never
        case enabled = "Enabled"
        case suspended = "Suspended"
    }

    struct Version: Hashable, Sendable {
        /// What it was written with; nil for a delete marker.
        var tag: Int?
        var etag = ""
        var contents: [Content] = []
        /// The id that the gateway gave it, where an answer told.
        var id: String?
        /// Whether its id is `null`.
        var isNull = false
        var isMarker = false
        var tags: String?

        var size: Int { contents.reduce(0) { $0 + $1.size } }
        var visibleID: String? { isNull ? "null" : id }
    }

    struct Upload: Hashable, Sendable {
        struct Part: Hashable, Sendable {
            var etag: String
            var content: Content
        }

        var key: String
        var tag: Int
        var parts: [Int: Part] = [:]
        /// The version that it became.
        var result: Version?
    }

    var versioning = Versioning.never
    /// The versions of each key, the newest last.
    var keys: [String: [Version]] = [:]
    var uploads: [String: Upload] = [:]
    /// What copies that are under way have read, by their tags.
    private var sources: [Int: Version] = [:]

    /// The current version of a key, if that is no delete marker.
    private func current(_ key: String) -> Version? {
        keys[key]?.last.flatMap { $0.isMarker ? nil : $0 }
    }

    private mutating func replace(_ key: String, _ versions: [Version]) {
        keys[key] = versions.isEmpty ? nil : versions
    }

    /// Makes a version current, as the bucket's versioning says.
    private mutating func add(_ new: Version, to key: String) {
        var new = new
        new.isNull = versioning != .enabled
        if new.isNull { new.id = nil }
        let kept = (keys[key] ?? []).filter { versioning != .never && !(new.isNull && $0.isNull) }
        keys[key] = kept + [new]
    }

    // MARK: What an operation does

    /// Whether an answer is one that S3 may give here; where it is, the operation is done.
    ///
    /// - Parameter answer: nil for one that was never learned: then what the operation does where nothing stands in
    ///   its way is done, and always allowed.
    mutating func apply(_ call: Call, _ answer: Answer?, _ bytes: ContentCache) -> Bool {
        switch call {
        case .put(let key, let tag, let content, let condition):
            let version = Version(tag: tag, etag: bytes.etag(content), contents: [content])
            return store(version, under: key, condition, answer)
        case .copy: return false  // Its steps come instead.
        case .readSource(let key, let tag):
            guard let original = current(key) else { return Self.refused(answer, 404) }
            sources[tag] = original
            guard case .done(let etag, _) = answer else { return answer == nil }
            return etag == bytes.etag(original.contents)
        case .putCopy(let key, let tag):
            guard let original = sources.removeValue(forKey: tag) else { return false }
            // A copy's ETag is the MD5 of its bytes, also where the original was uploaded in parts.
            var copy = Version(tag: tag, contents: original.contents, tags: original.tags)
            copy.etag = bytes.etag(original.contents)
            return store(copy, under: key, nil, answer)
        case .get(let key, let id, let range): return read(key, id, range, wantsBytes: true, answer, bytes)
        case .head(let key, let id): return read(key, id, nil, wantsBytes: false, answer, bytes)
        case .delete(let key, let id): return id.map { remove(key, $0, answer) } ?? delete(key, answer)
        case .list: return listed(answer)
        case .listVersions: return listedVersions(answer)
        case .putTags(let key, let value): return tag(key, value, answer)
        case .getTags(let key):
            guard let answer else { return true }
            guard let version = current(key) else { return Self.refused(answer, 404, 405) }
            return answer == .tags(version.tags)
        case .setVersioning(let new):
            versioning = new
            return Self.done(answer)
        case .createUpload, .putPart, .complete, .abort: return upload(call, answer, bytes)
        }
    }

    private static func refused(_ answer: Answer?, _ statuses: Int...) -> Bool {
        guard let answer else { return true }
        guard case .refused(let status) = answer else { return false }
        return statuses.contains(status)
    }

    private static func done(_ answer: Answer?) -> Bool {
        guard let answer else { return true }
        if case .done = answer { return true }
        return false
    }

    private mutating func store(_ version: Version, under key: String, _ condition: Call.Condition?, _ answer: Answer?)
        -> Bool
    {
        switch condition {
        case .ifAbsent where current(key) != nil: return Self.refused(answer, 412)
        case .ifMatch(let etag):
            guard let live = current(key) else { return Self.refused(answer, 404) }
            if live.etag != etag { return Self.refused(answer, 412) }
        case .ifAbsent, nil: break
        }
        var version = version
        guard let answer else {
            add(version, to: key)
            return true
        }
        guard case .done(let etag, let id) = answer, etag == version.etag else { return false }
        guard hasRightID(id) else { return false }
        version.id = id
        add(version, to: key)
        return true
    }

    /// Whether a new version may have this id.
    private func hasRightID(_ id: String?) -> Bool {
        switch versioning {
        case .never: id == nil
        case .suspended: id == "null"
        case .enabled: id.map { $0 != "null" && !isKnown($0) } ?? false
        }
    }

    private func isKnown(_ id: String) -> Bool {
        keys.values.contains { $0.contains { $0.visibleID == id } }
    }

    private mutating func read(
        _ key: String, _ id: String?, _ range: ClosedRange<Int>?, wantsBytes: Bool, _ answer: Answer?,
        _ bytes: ContentCache
    ) -> Bool {
        guard let answer else { return true }
        let found = id == nil ? keys[key]?.last : keys[key]?.last { $0.visibleID == id }
        guard let version = found else { return Self.refused(answer, 404) }
        if version.isMarker { return Self.refused(answer, id == nil ? 404 : 405) }
        if let range, range.lowerBound >= version.size { return Self.refused(answer, 416) }
        guard case .object(let object) = answer else { return false }
        let bounds = range.map { $0.lowerBound..<min($0.upperBound + 1, version.size) } ?? 0..<version.size
        guard object.tag == version.tag, object.etag == version.etag, object.size == bounds.count,
            !wantsBytes || object.fingerprint == bytes.fingerprint(version.contents, bounds),
            isRight(object.version, for: version)
        else { return false }
        learn(object.version, of: version, under: key)
        return true
    }

    /// Whether an answer may call a version so. What a bucket that never was versioned holds has no visible id.
    private func isRight(_ id: String?, for version: Version) -> Bool {
        if version.isNull { return id == "null" || (id == nil && versioning == .never) }
        guard let id, id != "null" else { return false }
        return version.id.map { $0 == id } ?? !isKnown(id)
    }

    /// Takes note of the id of a version whose own answer was lost. No two versions have one tag: whenever an id is
    /// told, it can be this one's alone.
    private mutating func learn(_ id: String?, of version: Version, under key: String) {
        guard let id, !version.isNull, version.id == nil, let tag = version.tag,
            let position = keys[key]?.firstIndex(where: { $0.tag == tag })
        else { return }
        keys[key]?[position].id = id
    }

    private mutating func delete(_ key: String, _ answer: Answer?) -> Bool {
        guard Self.done(answer) else { return false }
        guard versioning != .never else {
            keys[key] = nil
            return true
        }
        var marker = Version(isMarker: true)
        if case .done(_, let id) = answer {
            guard hasRightID(id) else { return false }
            marker.id = id
        }
        add(marker, to: key)
        return true
    }

    private mutating func remove(_ key: String, _ id: String, _ answer: Answer?) -> Bool {
        replace(key, (keys[key] ?? []).filter { $0.visibleID != id })
        return Self.done(answer)
    }

    private mutating func tag(_ key: String, _ value: String, _ answer: Answer?) -> Bool {
        guard current(key) != nil, let last = keys[key]?.indices.last else { return Self.refused(answer, 404, 405) }
        keys[key]?[last].tags = value
        return Self.done(answer)
    }

    private func listed(_ answer: Answer?) -> Bool {
        guard case .listed(let entries) = answer else { return answer == nil }
        let expected = keys.keys.sorted().compactMap { key in current(key).map { (key, $0) } }
        return entries.count == expected.count
            && zip(entries, expected).allSatisfy { $0.key == $1.0 && $0.etag == $1.1.etag && $0.size == $1.1.size }
    }

    private func listedVersions(_ answer: Answer?) -> Bool {
        guard case .listed(let entries) = answer else { return answer == nil }
        let expected = keys.keys.sorted().flatMap { key in
            (keys[key] ?? []).reversed().enumerated().map { (key, $1, $0 == 0) }
        }
        return entries.count == expected.count
            && zip(entries, expected).allSatisfy { entry, expected in
                let (key, version, isLatest) = expected
                return entry.key == key && entry.isLatest == isLatest
                    && entry.etag == (version.isMarker ? nil : version.etag)
                    && entry.size == (version.isMarker ? nil : version.size)
                    && (version.isNull ? entry.version == "null" : version.id == nil || version.id == entry.version)
            }
    }

    // MARK: Uploads

    private mutating func upload(_ call: Call, _ answer: Answer?, _ bytes: ContentCache) -> Bool {
        switch call {
        case .createUpload(let key, let tag):
            // Nobody can use an upload of which nobody knows.
            guard let answer else { return true }
            guard case .upload(let id) = answer, uploads[id] == nil else { return false }
            uploads[id] = Upload(key: key, tag: tag)
            return true
        case .putPart(_, let id, let number, let content):
            guard let open = uploads[id], open.result == nil else { return Self.refused(answer, 404) }
            let part = Upload.Part(etag: bytes.etag(content), content: content)
            uploads[id]?.parts[number] = part
            return answer == nil || answer == .done(etag: part.etag, version: nil)
        case .abort(_, let id):
            guard let open = uploads[id], open.result == nil else { return Self.refused(answer, 404) }
            uploads[id] = nil
            return Self.done(answer)
        case .complete(let key, let id, let parts): return complete(key, id, parts, answer, bytes)
        default: return false
        }
    }

    private mutating func complete(
        _ key: String, _ id: String, _ wanted: [Int: String], _ answer: Answer?, _ bytes: ContentCache
    ) -> Bool {
        guard let open = uploads[id] else { return Self.refused(answer, 404) }
        // Completing once more gives the first answer.
        if let first = open.result {
            guard case .done(let etag, let told) = answer else { return answer == nil }
            let result = keys[key]?.first { $0.tag == open.tag } ?? first
            guard etag == result.etag, isRight(told, for: result) else { return false }
            learn(told, of: result, under: key)
            return true
        }
        let chosen = wanted.sorted { $0.key < $1.key }
        guard chosen.allSatisfy({ open.parts[$0.key]?.etag == $0.value }) else { return Self.refused(answer, 400) }
        let contents = chosen.compactMap { open.parts[$0.key]?.content }
        let version = Version(tag: open.tag, etag: bytes.etag(ofParts: contents), contents: contents)
        guard store(version, under: key, nil, answer) else { return false }
        uploads[id]?.result = keys[key]?.last
        uploads[id]?.parts = [:]
        return true
    }
}

/// The bytes of contents, their ETags and fingerprints, each computed once.
final class ContentCache {
    private var bytes: [Content: [UInt8]] = [:]
    private var digests: [Content: [UInt8]] = [:]
    private var prints: [Slice: UInt64] = [:]
    private var etags: [[Content]: String] = [:]

    private struct Slice: Hashable {
        var contents: [Content]
        var range: Range<Int>
    }

    func bytes(_ content: Content) -> [UInt8] {
        if let known = bytes[content] { return known }
        let made = Self.make(content)
        bytes[content] = made
        return made
    }

    /// The bytes themselves: different ones for different numbers.
    static func make(_ content: Content) -> [UInt8] {
        var made: [UInt8] = []
        made.reserveCapacity(content.size + 8)
        var word = UInt64(truncatingIfNeeded: content.number) &* 0x9E37_79B9_7F4A_7C15
        while made.count < content.size {
            word = (word ^ (word >> 29)) &* 0xBF58_476D_1CE4_E5B9 &+ 1
            unsafe withUnsafeBytes(of: word.littleEndian) { unsafe made.append(contentsOf: $0) }
        }
        made.removeLast(made.count - content.size)
        return made
    }

    private func md5(_ content: Content) -> [UInt8] {
        if let known = digests[content] { return known }
        let digest = Digest.hash(.md5, bytes(content))
        digests[content] = digest
        return digest
    }

    func etag(_ content: Content) -> String { Hex.encode(md5(content)) }

    /// The ETag of contents that were stored as one body.
    func etag(_ contents: [Content]) -> String {
        guard contents.count != 1 else { return etag(contents[0]) }
        if let known = etags[contents] { return known }
        let etag = Hex.encode(Digest.hash(.md5, contents.flatMap { bytes($0) }))
        etags[contents] = etag
        return etag
    }

    /// The ETag of an object that was uploaded in parts.
    func etag(ofParts contents: [Content]) -> String {
        Hex.encode(Digest.hash(.md5, contents.flatMap { md5($0) })) + "-\(contents.count)"
    }

    func fingerprint(_ contents: [Content], _ range: Range<Int>) -> UInt64 {
        let slice = Slice(contents: contents, range: range)
        if let known = prints[slice] { return known }
        let print = Self.fingerprint(contents.flatMap { bytes($0) }[range])
        prints[slice] = print
        return print
    }

    /// FNV-1a, which is enough to tell what is random anyway.
    static func fingerprint(_ bytes: some Sequence<UInt8>) -> UInt64 {
        bytes.reduce(0xCBF2_9CE4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
    }
}
