import Audit

/// The name of a segment file: `audit-` and the number of its first record in 20 digits, so that names sort as records
/// do.
struct SegmentName: Hashable, Comparable, Sendable, CustomStringConvertible {
    let firstSequence: UInt64

    init(firstSequence: UInt64) {
        self.firstSequence = firstSequence
    }

    /// Reads what `description` gives; nil for anything else.
    init?(_ name: String) {
        let bytes = Array(name.utf8)
        guard bytes.count == 6 + 20 + 6, bytes.starts(with: "audit-".utf8), bytes.suffix(6).elementsEqual(".jsonl".utf8)
        else { return nil }
        let digits = bytes[6..<26]
        guard digits.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }),
            let number = UInt64(String(decoding: digits, as: UTF8.self)), number < LinkedRecord.maximumSequence
        else { return nil }
        firstSequence = number
    }

    var description: String {
        let digits = String(firstSequence)
        return "audit-" + String(repeating: "0", count: 20 - digits.utf8.count) + digits + ".jsonl"
    }

    static func < (left: SegmentName, right: SegmentName) -> Bool { left.firstSequence < right.firstSequence }
}
