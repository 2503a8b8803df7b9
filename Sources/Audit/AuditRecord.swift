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
            bytes = Self.text(of: event, AuditBounds(divisor: divisor))
            if bytes.count <= Self.maximumSize { break }
        }
        self.init(eventID: AuditBounds.cut(event.eventID, to: AuditBounds.nameText).text, canonicalJSON: bytes)
    }

    private static func text(of event: AuditEvent, _ bounds: AuditBounds) -> [UInt8] {
        var writer = EventWriter(bounds, saysTruncated: false)
        event.write(to: &writer)
        guard writer.hasCut else { return writer.json.bytes }
        // What says so comes before most of what may be cut.
        writer = EventWriter(bounds, saysTruncated: true)
        event.write(to: &writer)
        return writer.json.bytes
    }
}

/// How long the parts of a record may be.
struct AuditBounds {
    /// Bytes of a text that a client can choose; a key of 1,024 bytes passes whole.
    let longText: Int
    /// Bytes of a name.
    let shortText: Int
    /// Entries of a list or of a map.
    let entries: Int
    /// Bytes of an event's id and of a parameter's name.
    static let nameText = 128

    init(divisor: Int) {
        longText = 2048 / divisor
        shortText = max(256 / divisor, 32)
        entries = max(1, 48 / divisor)
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
    static func isSecret(_ name: String) -> Bool {
        let name = name.utf8.span
        for secret in secretNames where begins(name, with: secret) && name.count == secret.utf8.count { return true }
        for beginning in secretBeginnings where begins(name, with: beginning) { return true }
        return false
    }

    /// Whether a name begins with a text in lower case, in whatever case.
    private static func begins(_ name: Span<UInt8>, with text: String) -> Bool {
        let text = text.utf8.span
        guard name.count >= text.count else { return false }
        for index in text.indices {
            let byte = name[index]
            guard (byte >= 0x41 && byte <= 0x5A ? byte | 0x20 : byte) == text[index] else { return false }
        }
        return true
    }

    private static let secretNames = [
        "authorization", "cookie", "policy", "signature", "awsaccesskeyid", "x-amz-signature", "x-amz-credential",
        "x-amz-security-token", "x-amz-date", "x-amz-signedheaders",
    ]
    private static let secretBeginnings = [
        "x-amz-server-side-encryption-customer-key", "x-amz-copy-source-server-side-encryption-customer-key",
    ]
}
