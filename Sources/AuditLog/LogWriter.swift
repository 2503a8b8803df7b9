import Audit

/// The end of the log: links records, writes them to the last segment, begins new ones. Used by one thread at a time.
struct LogWriter: ~Copyable {
    private let directory: PosixDirectory
    private let node: String
    private let epoch: UInt32
    private let segmentBytes: Int64
    /// Held as long as the writer lives, so that no second process appends.
    private let lock: PosixFile
    private var file: PosixFile
    private var fileSize: Int64
    private var reserve: DiskReserve
    /// The number and the previous hash of the next record.
    private var nextSequence: UInt64
    private var previous: [UInt8]
    private var buffer: [UInt8] = []
    private var isDirty = false
    /// What ended the log. The records after it were given their numbers, and are not in the file.
    private var failure: PosixFailure?

    /// Goes on where a log ends.
    init(_ options: AuditLogOptions, after end: LogEnd, lock: consuming PosixFile) throws(PosixFailure) {
        let directory = PosixDirectory(options.directory)
        var reserve = DiskReserve(in: directory, size: options.reserveBytes)
        try reserve.acquire()
        let name = end.segment ?? SegmentName(firstSequence: end.nextSequence)
        let file = try PosixFile(directory.file("\(name)"), .appending)
        let fileSize = try file.size()
        try directory.synchronize()
        (self.directory, self.reserve, self.fileSize) = (directory, reserve, fileSize)
        (node, epoch, segmentBytes) = (options.node, options.epoch, options.segmentBytes)
        (nextSequence, previous) = (end.nextSequence, end.hash)
        self.lock = lock
        self.file = file
    }

    /// What the log's callers are to know of the writer.
    struct Status {
        /// Whether something was written that is not synced.
        var isDirty: Bool
        /// Whether the disk is full and the log lives on its reserve.
        var isOnReserve: Bool
        /// The last record; nil before the first.
        var head: AuditHead?
    }

    var status: Status {
        Status(
            isDirty: isDirty, isOnReserve: !reserve.isHeld,
            head: nextSequence == 0 ? nil : AuditHead(sequence: nextSequence - 1, hash: previous))
    }

    /// Does something with the writer, and says how it is then. After a failure nothing is done any more: a sync that
    /// was to come would tell of records as being on the disk that never were written.
    mutating func perform(_ body: (inout LogWriter) throws(PosixFailure) -> Void) throws(PosixFailure) -> Status {
        if let failure { throw failure }
        do throws(PosixFailure) {
            try body(&self)
        } catch {
            failure = error
            throw error
        }
        return status
    }

    /// Links the records and writes them. After an error the log must not be written any more.
    mutating func append(_ records: [LinkableRecord]) throws(PosixFailure) {
        // Room may have come back; a full disk makes this a cheap refusal.
        try reserve.acquire()
        for record in records {
            let line = record.linked(
                ChainLink(sequence: nextSequence, node: node, epoch: epoch, previous: previous))
            let size = fileSize + Int64(buffer.count)
            if size > 0, size + Int64(line.count) > segmentBytes { try beginSegment() }
            previous = RecordHash.of(line)
            nextSequence += 1
            buffer += line
            buffer.append(UInt8(ascii: "\n"))
            if buffer.count > 1 << 20 { try flush() }
        }
        try flush()
    }

    /// Returns once everything written is on the disk.
    mutating func synchronize() throws(PosixFailure) {
        guard isDirty else { return }
        try file.synchronize()
        isDirty = false
    }

    /// Ends a segment durably before the next one begins, so that a crash can tear the last segment alone.
    private mutating func beginSegment() throws(PosixFailure) {
        try flush()
        try synchronize()
        let path = directory.file("\(SegmentName(firstSequence: nextSequence))")
        file = try create(path)
        fileSize = 0
        try directory.synchronize()
    }

    private mutating func create(_ path: String) throws(PosixFailure) -> PosixFile {
        while true {
            do {
                return try PosixFile(path, .creating)
            } catch  where error.isOutOfSpace {
                guard try reserve.release() else { throw error }
            }
        }
    }

    private mutating func flush() throws(PosixFailure) {
        var position = 0
        while position < buffer.count {
            isDirty = true
            let (written, failure) = file.write(buffer, from: position)
            position += written
            fileSize += Int64(written)
            if let failure {
                guard failure.isOutOfSpace, try reserve.release() else { throw failure }
            }
        }
        buffer.removeAll(keepingCapacity: true)
    }
}
