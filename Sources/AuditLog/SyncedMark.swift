import Audit

/// A note beside the segments of a record that is on the disk: the log's end is never before it.
///
/// Without it, nothing tells a log that a crash left unfinished from one whose synced end was damaged or cut off. It is
/// a file of its own, replaced as a whole, so that no damage of a segment is damage of the mark. It is set some time
/// after a sync and beside the records, so that no request waits for it: it may lag, and is never ahead.
struct SyncedMark {
    static let fileName = "mark"
    /// What becomes the mark once it is on the disk.
    private static let newName = "mark.new"
    /// A number, a colon, 64 digits and a line feed.
    private static let maximumSize = 128

    enum Content: Equatable {
        /// There is none: the log is new, or was written before there were marks.
        case none
        case record(AuditHead)
        /// The file holds no mark, or is no file.
        case unreadable
    }

    private let directory: PosixDirectory

    init(in directory: PosixDirectory) {
        self.directory = directory
    }

    func read() throws(PosixFailure) -> Content {
        var bytes: [UInt8] = []
        do throws(PosixFailure) {
            let file = try PosixFile(directory.file(Self.fileName), .reading)
            while try file.read(into: &bytes, at: Int64(bytes.count), limit: Self.maximumSize) > 0 {
                guard bytes.count <= Self.maximumSize else { return .unreadable }
            }
        } catch {
            if error.isAbsent { return .none }
            if error.isNoRegularFile { return .unreadable }
            throw error
        }
        guard bytes.popLast() == UInt8(ascii: "\n"), let head = AuditHead(String(decoding: bytes, as: UTF8.self)) else {
            return .unreadable
        }
        return .record(head)
    }

    /// Returns once the mark is on the disk; a crash before leaves the one that was there.
    func write(_ head: AuditHead) throws(PosixFailure) {
        let file = try PosixFile(directory.file(Self.newName), .replacing)
        if let failure = file.write(Array("\(head)\n".utf8), from: 0).failure { throw failure }
        try file.synchronize()
        try directory.rename(Self.newName, to: Self.fileName)
        try directory.synchronize()
    }
}
