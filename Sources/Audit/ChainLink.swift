import Primitives

/// A record's place in the log of one node: what the log adds to what happened.
package struct ChainLink: Sendable, Hashable {
    /// The record's number, from 0.
    package var sequence: UInt64
    /// The node's name: at most 64 bytes of letters, digits, `-`, `_` and `.`, so that it needs no escapes.
    package var node: String
    /// The writer epoch of the gateway that appended it.
    package var epoch: UInt32
    /// The SHA-256 of the previous record's bytes; 32 zero bytes for the first record of all.
    package var previous: [UInt8]

    package init(sequence: UInt64, node: String, epoch: UInt32, previous: [UInt8]) {
        (self.sequence, self.node, self.epoch, self.previous) = (sequence, node, epoch, previous)
    }

    /// What the first record has for its previous one.
    package static let origin = [UInt8](repeating: 0, count: 32)

    /// Bytes that a link adds to a record at most: names, quotes and commas (34), a node (64), an epoch (10), a hash
    /// (64), a sequence number (20), rounded up.
    package static let maximumSize = 256

    /// Whether a node's name is one that a record can carry.
    package static func isValidNode(_ node: String) -> Bool {
        (1...64).contains(node.utf8.count)
            && node.utf8.allSatisfy { byte in
                switch byte {
                case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F: true
                default: false
                }
            }
    }
}

/// A record that is ready to be linked: the places where the link's members go are known, so that linking cannot fail.
package struct LinkableRecord: Sendable {
    package let record: AuditRecord
    /// For `epoch`, `node`, `prev` and `seq`: the offset of the member before which each goes, or that of the closing
    /// brace.
    private let offsets: [Int]
    private let isEmpty: Bool

    private static let names = ["epoch", "node", "prev", "seq"]

    /// - Throws: `tooLarge` where the record would not fit 65,535 bytes with its link; `malformed` where it is no
    ///   canonical object, or has a member that belongs to the link.
    package init(_ record: AuditRecord) throws(AuditError) {
        let bytes = record.canonicalJSON
        guard bytes.count <= AuditRecord.maximumSize else { throw .tooLarge(bytes.count) }
        guard let members = CanonicalMembers(bytes)?.members else { throw .malformed(record.eventID) }
        var offsets: [Int] = []
        var next = members.startIndex
        for name in Self.names {
            while next < members.endIndex, bytes[members[next].name].lexicographicallyPrecedes(name.utf8) { next += 1 }
            guard next == members.endIndex || !bytes[members[next].name].elementsEqual(name.utf8) else {
                throw .malformed(record.eventID)
            }
            offsets.append(next < members.endIndex ? members[next].start : bytes.count - 1)
        }
        self.record = record
        self.offsets = offsets
        isEmpty = members.isEmpty
    }

    /// The record as it stands in the log: canonical JSON with the link's members in their places.
    package func linked(_ link: ChainLink) -> [UInt8] {
        let bytes = record.canonicalJSON
        var line: [UInt8] = []
        line.reserveCapacity(bytes.count + ChainLink.maximumSize)
        var position = 0
        for (index, offset) in offsets.enumerated() {
            line += bytes[position..<offset]
            position = offset
            // Before another member the comma comes after ours; before the closing brace it comes before ours.
            let isLast = offset == bytes.count - 1
            if isLast, !(isEmpty && index == 0) { line.append(UInt8(ascii: ",")) }
            line.append(UInt8(ascii: "\""))
            line += Self.names[index].utf8
            line += "\":".utf8
            Self.append(link, index, to: &line)
            if !isLast { line.append(UInt8(ascii: ",")) }
        }
        line += bytes[position...]
        return line
    }

    /// The value of the member `names[index]`.
    private static func append(_ link: ChainLink, _ index: Int, to line: inout [UInt8]) {
        switch names[index] {
        case "epoch": line += String(link.epoch).utf8
        case "seq": line += String(link.sequence).utf8
        case "node":
            line.append(UInt8(ascii: "\""))
            line += link.node.utf8
            line.append(UInt8(ascii: "\""))
        default:
            line.append(UInt8(ascii: "\""))
            Hex.append(link.previous, to: &line)
            line.append(UInt8(ascii: "\""))
        }
    }
}
