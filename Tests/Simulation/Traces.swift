/// What answers show of operations that had none themselves, or that changed nothing since another had done the same.
struct Traces {
    /// Commits of versions, by what the objects were written with, and by their keys and ETags.
    private var tags: [Int: Int] = [:]
    private var listed: [Listed: Int] = [:]
    /// ETags that each key had at some time, as far as puts and answers tell.
    private var held: [String: Set<String>] = [:]
    /// Values of objects' tags that were read.
    private var values: Set<String> = []
    /// ETags of parts that somebody made an object of.
    private var parts: Set<String> = []
    /// Commits of uploads' completions, by the uploads.
    private var completions: [String: Int] = [:]
    private let bytes: ContentCache

    private struct Listed: Hashable {
        var key: String
        var etag: String
    }

    init(_ operations: [Operation], _ bytes: ContentCache) {
        self.bytes = bytes
        let known = Self.versionsOfKnownOrigin(operations)
        for operation in operations {
            switch operation.call {
            case .complete(_, let upload, let wanted):
                parts.formUnion(wanted.values)
                if let commit = operation.commit { completions[upload] = commit }
            case .put(let key, _, let content, _): held[key, default: []].insert(bytes.etag(content))
            default: break
            }
            switch operation.answer {
            case .object(let object):
                if let tag = object.tag { tags[tag] = Self.commit(object.version) }
            case .listed(let entries):
                for entry in entries {
                    guard let etag = entry.etag else { continue }
                    // Copies and empty objects are alike: one whose origin is known shows nothing of another.
                    if entry.version.map(known.contains) != true {
                        listed[Listed(key: entry.key, etag: etag)] = Self.commit(entry.version)
                    }
                    held[entry.key, default: []].insert(etag)
                }
            case .tags(let value?): values.insert(value)
            default: break
            }
        }
    }

    /// The ids of versions of which an answer says what made them.
    private static func versionsOfKnownOrigin(_ operations: [Operation]) -> Set<String> {
        var known: Set<String> = []
        for operation in operations {
            switch (operation.call, operation.answer) {
            case (.put, .done(_, let id?)), (.copy, .done(_, let id?)), (.complete, .done(_, let id?)):
                known.insert(id)
            case (_, .object(let object)):
                if object.tag != nil, let id = object.version { known.insert(id) }
            default: break
            }
        }
        // This is what all versions are called that were made without versioning, one after the other.
        known.remove("null")
        return known
    }

    /// The commit that a version's id names; the last of all where it names none.
    private static func commit(_ id: String?) -> Int {
        id.flatMap { $0.utf8.count == 32 ? Int($0.prefix(16), radix: 16) : nil } ?? .max
    }

    /// Notes where the operations that stayed open and left a trace were committed, and what repeats a completion.
    func mark(_ operations: [Operation]) -> [Operation] {
        operations.map { operation in
            guard operation.commit == nil else { return operation }
            var operation = operation
            switch (operation.call, operation.answer) {
            case (_, nil): operation.commit = commit(of: operation.call)
            case (.complete(_, let upload, _), .done): operation.commit = completions[upload]
            default: break
            }
            return operation
        }
    }

    private func commit(of call: Call) -> Int? {
        switch call {
        case .put(let key, let tag, let content, _):
            // Empty objects are alike. Where one comes back from a footer, the recovery's commit tells.
            tags[tag] ?? (content.size == 0 ? nil : listed[Listed(key: key, etag: bytes.etag(content))])
        case .copy(let source, let key, let tag):
            tags[tag] ?? held[source, default: []].compactMap { listed[Listed(key: key, etag: $0)] }.max()
        case .createUpload(_, let tag): tags[tag]
        // An object of parts shows what its upload was created with.
        case .complete, .abort, .setVersioning: .max
        case .putPart(_, _, _, let content): parts.contains(bytes.etag(content)) ? .max : nil
        case .putTags(_, let value): values.contains(value) ? .max : nil
        default: nil
        }
    }
}
