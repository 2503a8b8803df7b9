import Primitives

/// One act, as a canonical JSON object with CloudTrail's field names, without its place in the chain (`seq`, `node`,
/// `epoch`, `prev`), which the log adds.
///
/// It carries no secret: whoever builds one puts no signature, token, key, SSE-C key or presigned query in it.
package struct AuditRecord: Sendable, Hashable {
    /// The record's `eventID`, by which the log drops a record that a crash made it meet twice.
    package let eventID: String
    /// RFC 8785 canonical JSON of one object.
    package let canonicalJSON: [UInt8]

    package init(eventID: String, canonicalJSON: [UInt8]) {
        (self.eventID, self.canonicalJSON) = (eventID, canonicalJSON)
    }

    /// Bytes of a record in the log, its link included: what a C2SP tile's entry holds.
    package static let maximumLinkedSize = 65_535
    /// Bytes of a record before its link is added.
    package static let maximumSize = maximumLinkedSize - ChainLink.maximumSize
}

/// From what happened to its record.
extension AuditRecord {
    /// The record of an event, cut where the event is too long, so that it always fits.
    ///
    /// A text that was cut ends with `…`, and `additionalEventData.truncated` is then true. Request parameters whose
    /// names belong to credentials are left out, should one come this far.
    package init(_ event: AuditEvent) {
        var bytes: [UInt8] = []
        // Control characters grow sixfold when escaped, so that bounds on the fields alone do not bound the record.
        for divisor in [1, 4, 16, 64] {
            var bounds = AuditBounds(divisor: divisor)
            bytes = event.json(within: &bounds).canonical
            if bytes.count <= Self.maximumSize { break }
        }
        self.init(eventID: AuditBounds.cut(event.eventID, to: 128).text, canonicalJSON: bytes)
    }
}

/// How long the parts of a record may be, and whether something had to be cut.
struct AuditBounds {
    /// Bytes of a text that a client can choose; a key of 1,024 bytes passes whole.
    let longText: Int
    /// Bytes of a name.
    let shortText: Int
    /// Entries of a list or of a map.
    let entries: Int
    private(set) var truncated = false

    init(divisor: Int) {
        longText = 2048 / divisor
        shortText = 256 / divisor
        entries = max(1, 48 / divisor)
    }

    mutating func long(_ text: String) -> JSON {
        bounded(text, longText)
    }

    mutating func short(_ text: String) -> JSON {
        bounded(text, max(shortText, 32))
    }

    mutating func shortIfAny(_ text: String?) -> JSON? {
        text.map { short($0) }
    }

    mutating func list(_ texts: [String]) -> JSON {
        if texts.count > entries { truncated = true }
        var elements: [JSON] = []
        for text in texts.prefix(entries) { elements.append(short(text)) }
        return .array(elements)
    }

    /// The pairs in the order of their names, or null where there are none, as CloudTrail has it.
    mutating func map(_ pairs: [String: String]) -> JSON {
        let kept = pairs.filter { !Self.isSecret($0.key) }
            .sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
        guard !kept.isEmpty else { return .null }
        if kept.count > entries { truncated = true }
        var object = JSONObject()
        for (name, value) in kept.prefix(entries) { object[Self.cut(name, to: 128).text] = long(value) }
        return .object(object)
    }

    mutating func noteTruncation() {
        truncated = true
    }

    private mutating func bounded(_ text: String, _ limit: Int) -> JSON {
        let (text, wasCut) = Self.cut(text, to: limit)
        if wasCut { truncated = true }
        return .string(text)
    }

    /// At most `limit` bytes of a text, ending in `…` where it was longer; never half a scalar.
    static func cut(_ text: String, to limit: Int) -> (text: String, wasCut: Bool) {
        guard text.utf8.count > limit else { return (text, false) }
        var scalars = String.UnicodeScalarView()
        var size = 3
        for scalar in text.unicodeScalars {
            size += UTF8.width(scalar)
            if size > limit { break }
            scalars.append(scalar)
        }
        return (String(scalars) + "…", true)
    }

    /// Whether a parameter's name is one under which a credential travels.
    private static func isSecret(_ name: String) -> Bool {
        let lowered = name.utf8.map { $0 >= 0x41 && $0 <= 0x5A ? $0 | 0x20 : $0 }
        return secretNames.contains { lowered.elementsEqual($0.utf8) }
            || lowered.starts(with: "x-amz-server-side-encryption-customer-key".utf8)
            || lowered.starts(with: "x-amz-copy-source-server-side-encryption-customer-key".utf8)
    }

    private static let secretNames = [
        "authorization", "cookie", "policy", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-credential",
        "x-amz-security-token", "x-amz-date", "x-amz-signedheaders",
    ]
}
