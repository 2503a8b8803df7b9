/// One act, as a canonical JSON object with CloudTrail's field names, without its place in the chain (`seq`, `node`, `epoch`,
/// `prev`), which the log adds.
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
}
