import Primitives

/// A record as it is read back from a log, with its link.
package struct LinkedRecord: Sendable {
    package let link: ChainLink
    /// The hash that the next record must name.
    package let hash: [UInt8]
    package let eventID: String
    package let eventName: String
    /// Whether it tells of a mutation that was done: such records come through the outbox.
    package let isDoneMutation: Bool

    /// Record numbers end here: beyond, JSON readers that know doubles alone would confuse them.
    package static let maximumSequence: UInt64 = 1 << 53

    /// Reads the members that the chain needs; nil where one is missing or out of form. The rest is not looked at.
    package init?(line: [UInt8]) {
        guard let members = CanonicalMembers(line),
            let sequence = members.number("seq", in: line), sequence < Self.maximumSequence,
            let epoch = members.number("epoch", in: line), let epoch = UInt32(exactly: epoch),
            let node = members.plainString("node", in: line), ChainLink.isValidNode(node),
            let previous = members.plainString("prev", in: line).flatMap({ Hex.decode($0) }), previous.count == 32,
            let eventID = members.plainString("eventID", in: line)
        else { return nil }
        link = ChainLink(sequence: sequence, node: node, epoch: epoch, previous: previous)
        hash = RecordHash.of(line)
        self.eventID = eventID
        eventName = members.plainString("eventName", in: line) ?? ""
        let readOnly = members.value("readOnly", in: line)?.elementsEqual("true".utf8) ?? true
        isDoneMutation = !readOnly && members.value("errorCode", in: line) == nil
    }
}

/// Where a log ends: enough to notice later that it was cut or rewritten.
package struct AuditHead: Hashable, Sendable, CustomStringConvertible {
    package var sequence: UInt64
    /// The SHA-256 of that record's bytes.
    package var hash: [UInt8]

    package init(sequence: UInt64, hash: [UInt8]) {
        (self.sequence, self.hash) = (sequence, hash)
    }

    /// `SEQ:HASH`, the hash in hexadecimal digits.
    package var description: String { "\(sequence):\(Hex.encode(hash))" }

    /// Reads what `description` gives; nil for anything else.
    package init?(_ text: String) {
        let parts = text.utf8.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false)
        guard parts.count == 2, let sequence = UInt64(String(decoding: parts[0], as: UTF8.self)),
            sequence < LinkedRecord.maximumSequence,
            let hash = Hex.decode(String(decoding: parts[1], as: UTF8.self)), hash.count == 32
        else { return nil }
        self.init(sequence: sequence, hash: hash)
    }
}
