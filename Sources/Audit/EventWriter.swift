import Primitives

/// Writes the members of a record, each within its bound.
struct EventWriter {
    var json = JSONWriter(capacity: 1024)
    private let bounds: AuditBounds
    /// Whether the record is to say that something of it was cut.
    let saysTruncated: Bool
    /// Whether something was cut.
    private(set) var hasCut = false

    init(_ bounds: AuditBounds, saysTruncated: Bool) {
        (self.bounds, self.saysTruncated) = (bounds, saysTruncated)
    }

    /// A text that is known to be short.
    mutating func plain(_ name: String, _ text: String) {
        json.name(name)
        json.string(text)
    }

    mutating func bool(_ name: String, _ value: Bool) {
        json.name(name)
        json.bool(value)
    }

    mutating func integer(_ name: String, _ number: Int64) {
        json.name(name)
        json.integer(number)
    }

    /// What names the record, which is cut without a word: it is ours, and never so long.
    mutating func identifier(_ name: String, _ text: String) {
        plain(name, AuditBounds.cut(text, to: AuditBounds.nameText).text)
    }

    /// A text that a client can choose; nothing where there is none.
    mutating func long(_ name: String, _ text: String?) {
        guard let text else { return }
        json.name(name)
        bounded(text, bounds.longText)
    }

    /// A name; nothing where there is none.
    mutating func short(_ name: String, _ text: String?) {
        guard let text else { return }
        json.name(name)
        bounded(text, bounds.shortText)
    }

    /// Names; nothing where there are none.
    mutating func list(_ name: String, _ texts: [String]) {
        guard !texts.isEmpty else { return }
        json.name(name)
        json.beginArray()
        for text in kept(texts) { bounded(text, bounds.shortText) }
        json.endArray()
    }

    /// The pairs in the order of their names, or null where there are none, as CloudTrail has it. Those of credentials
    /// are left out.
    mutating func map(_ name: String, _ pairs: [String: String]) {
        json.name(name)
        var members: [(name: String, value: String)] = []
        for pair in pairs where !AuditBounds.isSecret(pair.key) {
            members.append((AuditBounds.cut(pair.key, to: AuditBounds.nameText).text, pair.value))
        }
        guard !members.isEmpty else { return json.null() }
        members.sort { JSON.precedes($0.name, $1.name) }
        json.beginObject()
        var last: String?
        // Names that were cut may have become the same; one of them is kept.
        for member in kept(members) where last.map({ JSON.precedes($0, member.name) }) ?? true {
            json.name(member.name)
            bounded(member.value, bounds.longText)
            last = member.name
        }
        json.endObject()
    }

    /// The first of some elements, as many as there may be.
    mutating func kept<Element>(_ elements: [Element]) -> ArraySlice<Element> {
        if elements.count > bounds.entries { hasCut = true }
        return elements.prefix(bounds.entries)
    }

    private mutating func bounded(_ text: String, _ limit: Int) {
        let (text, wasCut) = AuditBounds.cut(text, to: limit)
        if wasCut { hasCut = true }
        json.string(text)
    }
}
