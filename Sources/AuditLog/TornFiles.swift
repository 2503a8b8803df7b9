import Audit
import Cryptography
import Primitives

/// The files beside the segments that keep what was cut off when a log was opened, and what records say of them.
///
/// A crash tears one line, the last one, and a power cut may leave a hole of zeros, behind which anything follows. So a
/// file with a complete line before a hole keeps something that no crash left: a record that was damaged, or removed.
struct TornFiles {
    private struct Named {
        var file: String
        var bytes: String?
        var sha256: String?
        var place: AuditPlace
    }

    private struct Content {
        var bytes: Int64 = 0
        var sha256 = ""
        /// Complete lines before any hole.
        var lines = 0
        /// Those of them that are records.
        var records = 0
        var sequences: Range<UInt64>?
    }

    private var named: [Named] = []

    /// Bounds what a log full of false records can make us keep.
    private static let maximumKept = 10_000

    static func name(_ sequence: UInt64, _ number: Int) -> String { "torn-\(sequence)-\(number).bin" }

    static func isName(_ name: String) -> Bool {
        name.utf8.starts(with: "torn-".utf8) && name.utf8.suffix(4).elementsEqual(".bin".utf8)
    }

    /// The parameters of the restart's record by which the file is named.
    static func parameters(_ cut: AuditCut) -> [String: String] {
        ["tornBytes": String(cut.bytes), "tornFile": cut.file, "tornSHA256": Hex.encode(cut.sha256)]
    }

    /// Takes the record of a restart.
    mutating func note(_ record: JSON, at place: AuditPlace) {
        let parameters = record["requestParameters"]
        guard let file = parameters?["tornFile"]?.stringValue, named.count < Self.maximumKept else { return }
        named.append(
            Named(
                file: file, bytes: parameters?["tornBytes"]?.stringValue,
                sha256: parameters?["tornSHA256"]?.stringValue, place: place))
    }

    /// Holds the files against the records that name them, and looks into each.
    func check(
        in directory: PosixDirectory, _ chain: inout ChainChecker, _ verification: inout AuditVerification
    ) throws(PosixFailure) {
        // Names are looked for in the listing and never opened as they stand in a record.
        let files = try directory.names().filter { Self.isName($0) }
        var unnamed = Set(files)
        for named in named {
            unnamed.remove(named.file)
            guard files.contains(named.file) else {
                chain.cut("\(named.file), which kept what was cut off before this record, is missing", at: named.place)
                continue
            }
            try check(named.file, named, at: named.place, directory, &chain, &verification)
        }
        // A start that was killed before its record has left these.
        for file in unnamed.sorted() {
            try check(file, nil, at: AuditVerifier.place(of: file), directory, &chain, &verification)
        }
    }

    private func check(
        _ file: String, _ named: Named?, at place: AuditPlace, _ directory: PosixDirectory,
        _ chain: inout ChainChecker, _ verification: inout AuditVerification
    ) throws(PosixFailure) {
        let content: Content
        do throws(PosixFailure) {
            content = try Self.content(of: directory.file(file))
        } catch  where error.isNoRegularFile {
            return chain.cut("\(file) is no regular file", at: place)
        }
        if let bytes = named?.bytes, !bytes.utf8.elementsEqual(String(content.bytes).utf8) {
            return chain.cut("\(file) has \(content.bytes) bytes, but \(bytes) were cut off", at: place)
        }
        if let sha256 = named?.sha256, !sha256.utf8.elementsEqual(content.sha256.utf8) {
            return chain.cut("\(file) does not hold the bytes that were cut off", at: place)
        }
        if content.records > 0 {
            chain.cut(
                "\(file) holds \(content.records) complete records, which no crash cuts off", content.sequences,
                at: place)
        } else if content.lines > 0 {
            chain.cut("\(file) holds a complete line, which no crash cuts off", at: place)
        } else {
            verification.tornEnds += 1
        }
    }

    private static func content(of path: String) throws(PosixFailure) -> Content {
        var content = Content()
        let digest = Digest(.sha256)
        let file = try PosixFile(path, .reading)
        while true {
            var bytes: [UInt8] = []
            guard try file.read(into: &bytes, at: content.bytes, limit: 1 << 18) > 0 else { break }
            digest.update(bytes)
            content.bytes += Int64(bytes.count)
        }
        content.sha256 = Hex.encode(digest.finalize())
        var reader = try SegmentReader(path: path)
        while let line = try reader.next(), !line.bytes.contains(0) {
            guard line.isTerminated else { continue }
            content.lines += 1
            guard !line.isTooLong, let record = LinkedRecord(line: line.bytes) else { continue }
            content.records += 1
            let sequence = record.link.sequence
            let known = content.sequences ?? sequence..<sequence
            content.sequences = min(known.lowerBound, sequence)..<max(known.upperBound, sequence + 1)
        }
        return content
    }
}
