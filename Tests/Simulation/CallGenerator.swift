import TidegateTesting

/// Draws what the clients of a simulation do: everything on a few keys, so that they meet.
struct CallGenerator {
    private static let keys = ["a", "b", "c", "d/e"]
    /// Lengths around what decides where bytes go: nothing, a cell, some stripes.
    private static let sizes = [0, 1, 300, 1024, 2500, 5000, 9000, 20_000]

    private var generator: SeededGenerator
    private var last = 0
    /// What answers have told so far, for calls that need it.
    private var etags: [String] = []
    private var versions: [(key: String, id: String)] = []
    private var uploads: [(key: String, id: String, parts: [Int: String])] = []

    init(seed: UInt64) {
        generator = SeededGenerator(seed: seed)
    }

    private mutating func roll(_ count: Int) -> Int { Int.random(in: 0..<count, using: &generator) }

    private mutating func tag() -> Int {
        last += 1
        return last
    }

    private mutating func key() -> String { Self.keys[roll(Self.keys.count)] }

    private mutating func content() -> Content {
        Content(number: tag(), size: Self.sizes[roll(Self.sizes.count)])
    }

    private mutating func version(likely share: Int) -> (key: String, id: String)? {
        guard !versions.isEmpty, roll(100) < share else { return nil }
        return versions[roll(versions.count)]
    }

    /// The next call of any client.
    mutating func next() -> Call {
        switch roll(100) {
        case ..<16: return .put(key: key(), tag: tag(), content(), nil)
        case ..<22: return .put(key: key(), tag: tag(), content(), .ifAbsent)
        case ..<26:
            guard !etags.isEmpty else { return .list }
            return .put(key: key(), tag: tag(), content(), .ifMatch(etags[roll(etags.count)]))
        case ..<44:
            let bytes: ClosedRange<Int>? = roll(4) == 0 ? 0...roll(4000) : nil
            if let version = version(likely: 25) { return .get(key: version.key, version: version.id, bytes: bytes) }
            return .get(key: key(), version: nil, bytes: bytes)
        case ..<48:
            if let version = version(likely: 25) { return .head(key: version.key, version: version.id) }
            return .head(key: key(), version: nil)
        case ..<58:
            if let version = version(likely: 30) { return .delete(key: version.key, version: version.id) }
            return .delete(key: key(), version: nil)
        case ..<62: return .copy(from: key(), to: key(), tag: tag())
        case ..<68: return .list
        case ..<71: return .listVersions
        case ..<74: return .putTags(key: key(), value: "v\(tag())")
        case ..<77: return .getTags(key: key())
        case ..<82: return .createUpload(key: key(), tag: tag())
        case ..<99: return upload()
        default: return .setVersioning(roll(2) == 0 ? .enabled : .suspended)
        }
    }

    /// Something to be done with an upload that is known, if there is one: most often with the latest.
    private mutating func upload() -> Call {
        guard !uploads.isEmpty else { return .createUpload(key: key(), tag: tag()) }
        let position = roll(3) == 0 ? roll(uploads.count) : uploads.count - 1
        let (key, id, parts) = uploads[position]
        switch roll(100) {
        case ..<50: return .putPart(key: key, upload: id, number: 1 + roll(2), content())
        case ..<82:
            guard let (number, etag) = parts.min(by: { $0.key < $1.key }) else { return .abort(key: key, upload: id) }
            return .complete(key: key, upload: id, parts: [number: etag])
        default: return .abort(key: key, upload: id)
        }
    }

    /// Notes what an answer told.
    mutating func learn(_ call: Call, _ answer: Answer?) {
        switch (call, answer) {
        case (.put(let key, _, _, _), .done(let etag, let id)), (.copy(_, let key, _), .done(let etag, let id)),
            (.complete(let key, _, _), .done(let etag, let id)):
            if let etag { etags.append(etag) }
            if let id { versions.append((key, id)) }
        case (.delete(let key, nil), .done(_, let id?)): versions.append((key, id))
        case (.createUpload(let key, _), .upload(let id)): uploads.append((key, id, [:]))
        case (.putPart(_, let id, let number, _), .done(let etag?, _)):
            guard let position = uploads.firstIndex(where: { $0.id == id }) else { return }
            uploads[position].parts[number] = etag
        default: break
        }
    }
}
