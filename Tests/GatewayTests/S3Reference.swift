/// What S3 is, in a few lines and without a thought of performance or failure: versions in arrays, listings by going
/// through everything. The random test holds the gateway against it.
struct S3Reference {
    struct Version {
        /// As the gateway named it, once it did; `null` for null versions.
        var id: String
        var isMarker = false
        var body = ""
        var tags: [String: String] = [:]
    }

    struct Upload {
        var key: String
        var parts: [Int: (etag: String, body: String)] = [:]
    }

    /// Nil, `Enabled` or `Suspended`.
    var versioning: String?
    /// Newest first.
    var versions: [String: [Version]] = [:]
    var uploads: [String: Upload] = [:]

    /// The keys in the order of their bytes.
    var keys: [String] { versions.keys.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) } }

    func current(_ key: String) -> Version? { versions[key]?.first }

    /// The current version, where it is an object.
    func object(_ key: String) -> Version? { current(key).flatMap { $0.isMarker ? nil : $0 } }

    func version(_ key: String, _ id: String) -> Version? { versions[key]?.first { $0.id == id } }

    /// Makes a version current, as the state of versioning has it.
    mutating func push(_ key: String, _ version: Version) {
        var list = versions[key] ?? []
        if version.id == "null" { list.removeAll { $0.id == "null" } }
        list.insert(version, at: 0)
        versions[key] = list
    }

    /// What a delete without a version does; `marker` is the id that the gateway gave the marker.
    mutating func delete(_ key: String, marker: String?) {
        guard let marker else {
            versions[key] = nil
            return
        }
        push(key, Version(id: marker, isMarker: true))
    }

    mutating func delete(_ key: String, version id: String) {
        versions[key]?.removeAll { $0.id == id }
        if versions[key]?.isEmpty == true { versions[key] = nil }
    }

    mutating func retag(_ key: String, _ id: String?, _ tags: [String: String]) {
        guard let position = versions[key]?.firstIndex(where: { id == nil || $0.id == id }) else { return }
        versions[key]?[position].tags = tags
    }

    /// Keys and rolled-up prefixes of current objects.
    func listing(prefix: String, delimiter: String, after: String) -> [String] {
        rows(of: keys.filter { object($0) != nil }, prefix, delimiter).filter {
            after.isEmpty || after.utf8.lexicographicallyPrecedes($0.utf8)
        }
    }

    /// `key@id`, with `!` for the latest and `x` for markers.
    func versionListing(prefix: String) -> [String] {
        keys.filter { $0.utf8.starts(with: prefix.utf8) }.flatMap { key in
            (versions[key] ?? []).enumerated().map { position, version in
                "\(key)@\(version.id)\(position == 0 ? "!" : "")\(version.isMarker ? "x" : "")"
            }
        }
    }

    private func rows(of keys: [String], _ prefix: String, _ delimiter: String) -> [String] {
        var rows: [String] = []
        for key in keys where key.utf8.starts(with: prefix.utf8) {
            var row = key
            if !delimiter.isEmpty {
                let rest = key.dropFirst(prefix.count)
                if let end = rest.firstIndex(of: delimiter.first ?? "/") {
                    row = prefix + rest[...end]
                }
            }
            if rows.last != row { rows.append(row) }
        }
        return rows
    }
}
