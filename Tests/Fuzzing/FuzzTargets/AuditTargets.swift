import Audit
import AuditLog
import Primitives

/// The log of what was done.
extension FuzzTarget {
    /// A line of the log, or an event that is to become one.
    static let auditRecord = FuzzTarget("audit-record") {
        let lines = try AuditExample.chain(count: 2)
        return [
            Example("line", lines[1]),
            Example("event", #"{"eventID":"e","eventName":"PutObject","readOnly":false,"z":[1]}"#),
            Example("empty", "{}"), Example("escaped", #"{"eventID":"\"","a\u0001":{"b":"}"}}"#),
            Example("linked", #"{"epoch":1,"eventID":"e"}"#), Example("none", "[]"),
        ]
    } run: { bytes in
        // Its parts are found whatever they are, and the whole is no record or one with a place.
        let record = LinkedRecord(line: bytes)
        if let record { try AuditExample.checkBounds(record) }
        guard let json = try? JSON.parse(bytes, limits: JSONLimits(depth: 32)), let object = json.objectValue else {
            return record != nil
        }
        let canonical = json.canonical
        let members = try require(CanonicalMembers(canonical), "an object whose members are not found")
        try require(members.members.count == object.members.count, "another number of members")
        for member in members.members {
            let name = try JSON.parse([UInt8(ascii: "\"")] + canonical[member.name] + [UInt8(ascii: "\"")])
            let value = try require(object[name.stringValue ?? ""], "a member that the object has not")
            try require(value.canonical == Array(canonical[member.value]), "another value of a member")
        }
        return try AuditExample.checkLinked(canonical) || record != nil
    }

    /// A chain of records that is changed: every change but none is found.
    static let auditChain = FuzzTarget("audit-chain") {
        [
            Example("same", []), Example("deleted", [1, 0, 3]), Example("exchanged", [2, 0, 1, 4]),
            Example("twice", [3, 0, 5]), Example("edited", [4, 0, 2, 0, 40, 1]), Example("cut", [1, 0, 7, 1, 0, 6]),
            Example("rewritten", [5, 0, 4, 9]),
        ]
    } run: { bytes in
        let original = try AuditExample.chain(count: 8)
        let heads = original.compactMap { LinkedRecord(line: $0) }.map {
            AuditHead(sequence: $0.link.sequence, hash: $0.hash)
        }
        let head = try require(heads.last, "a chain without an end")
        var lines = original
        var reader = InputReader(bytes)
        for _ in 0..<4 where !reader.rest.isEmpty { try AuditExample.change(&lines, &reader) }
        var checker = ChainChecker(expectedHeads: [head])
        for (index, line) in lines.enumerated() {
            let place = AuditPlace(segmentIndex: 0, segment: "s", line: index + 1, offset: 0)
            if let record = LinkedRecord(line: line) {
                checker.check(record, at: place)
            } else {
                checker.unreadable("no record", at: place)
            }
        }
        checker.finish()
        let (findings, _) = checker.findings(limit: 100)
        try require(
            findings.isEmpty == (lines == original), "\(findings.count) findings of a log that was changed or not")
        if lines == original { try require(checker.head == head, "another end of the same log") }
        return lines == original
    }
}

private enum AuditExample {
    /// Records that are linked, one line each.
    static func chain(count: Int) throws -> [[UInt8]] {
        var lines: [[UInt8]] = []
        for sequence in 0..<count {
            let json: JSON = ["eventID": "event-\(sequence)", "eventName": "PutObject", "readOnly": false]
            let record = try LinkableRecord(AuditRecord(eventID: "event-\(sequence)", canonicalJSON: json.canonical))
            let previous = lines.last.map(RecordHash.of) ?? ChainLink.origin
            lines.append(
                record.linked(ChainLink(sequence: UInt64(sequence), node: "n", epoch: 1, previous: previous)))
        }
        return lines
    }

    /// One change of a log, as the input chooses it.
    static func change(_ lines: inout [[UInt8]], _ reader: inout InputReader) throws {
        let kind = reader.byte() % 6
        let index = reader.number(below: lines.count)
        guard !lines.isEmpty else { return }
        switch kind {
        case 1: lines.remove(at: index)
        case 2: lines.swapAt(index, Int(reader.byte()) % lines.count)
        case 3: lines.insert(lines[index], at: Int(reader.byte()) % (lines.count + 1))
        case 4:
            let place = reader.number(below: lines[index].count)
            lines[index][place] ^= reader.byte()
        case 5:
            // A record that fits its place and says something else, as somebody who holds the log could write it.
            guard let old = LinkedRecord(line: lines[index]) else { return }
            let json: JSON = ["eventID": "other-\(reader.byte())", "eventName": "GetObject"]
            let record = try LinkableRecord(AuditRecord(eventID: "other", canonicalJSON: json.canonical))
            lines[index] = record.linked(old.link)
        default: break
        }
    }

    static func checkBounds(_ record: LinkedRecord) throws {
        try require(record.link.sequence < LinkedRecord.maximumSequence, "a number outside the limits")
        try require(ChainLink.isValidNode(record.link.node), "a node whose name is none")
        try require(record.link.previous.count == 32 && record.hash.count == 32, "a hash of another length")
    }

    /// An object that is linked is canonical still, and its link is read back.
    ///
    /// - Returns: Whether it could be linked.
    static func checkLinked(_ canonical: [UInt8]) throws -> Bool {
        let link = ChainLink(sequence: 7, node: "a-node", epoch: 9, previous: [UInt8](repeating: 3, count: 32))
        let linkable = Result { () throws(AuditError) in
            try LinkableRecord(AuditRecord(eventID: "e", canonicalJSON: canonical))
        }
        guard case .success(let record) = linkable else { return false }
        let line = record.linked(link)
        try require(line.count <= AuditRecord.maximumLinkedSize, "a record above the limit")
        let json = try require(
            try? JSON.parse(line, limits: JSONLimits(depth: 32)),
            "a linked record that "
                + "is no JSON")
        try require(json.canonical == line, "a linked record that is not canonical")
        guard
            json["eventID"]?.stringValue.map({
                !$0.isEmpty && !$0.utf8.contains { $0 < 0x20 || $0 == 0x22 || $0 == 0x5C }
            }) == true
        else { return true }
        try require(LinkedRecord(line: line)?.link == link, "another link than was written")
        return true
    }
}
