import NIOCore
import Primitives
import Storage
import Synchronization

/// The small blobs of a store: many to a file, written in batches by one thread, with one sync a batch.
///
/// Whatever comes while a batch is being synced is the next batch, so that a lone writer waits for one sync and many
/// share it. Reads go past the thread.
final class SegmentLog: Sendable {
    typealias Completion = @Sendable (Result<Void, StorageError>) -> Void

    /// What the thread is asked to do.
    enum Request: Sendable {
        case write(PackedName, ByteBuffer, Completion)
        case delete(PackedName, Completion)

        var name: PackedName {
            switch self {
            case .write(let name, _, _), .delete(let name, _): name
            }
        }

        var complete: Completion {
            switch self {
            case .write(_, _, let complete), .delete(_, let complete): complete
            }
        }

        var isWrite: Bool {
            if case .write = self { true } else { false }
        }
    }

    /// Requests that may wait.
    private static let queueLimit = 1 << 16
    /// Requests, and bytes of blobs, of one batch at most.
    private static let batchRequests = 1024
    private static let batchBytes = 4 << 20

    private struct Queue {
        var requests = CircularBuffer<Request>()
        var isDraining = false
        var isClosed = false
    }

    private let files: SegmentFiles
    private let thread: IOThreads
    private let queue = Mutex(Queue())
    private let index: Mutex<SegmentIndex>
    private let writer: Mutex<SegmentWriter>

    /// Opens the segments of a directory.
    ///
    /// - Parameter segmentBytes: Size of a new segment.
    init(
        in directory: OpenFile, segmentBytes: Int64, temporaries: TemporaryFiles, trust: Trust, threads: IOThreads
    ) throws(StorageError) {
        let files = SegmentFiles(in: directory, threads: threads)
        self.files = files
        var index = SegmentIndex(segmentBytes: segmentBytes)
        let numbers = try SystemError.translated { () throws(SystemError) in try files.numbers() }
        for number in numbers {
            guard var table = try SegmentScan.read(number, from: files) else { continue }
            try Self.settle(&table, &index, files)
            if table.entries.isEmpty {
                try SystemError.translated { () throws(SystemError) in try files.remove(number) }
            } else {
                index.add(table)
            }
        }
        thread = try IOThreads(count: 1, name: "segments", queueLimit: 16)
        let spare = SegmentSpare(
            in: directory, size: segmentBytes, after: numbers.last ?? 0, temporaries: temporaries, threads: threads)
        writer = Mutex(SegmentWriter(files: files, spare: spare, trust: trust))
        self.index = Mutex(index)
        spare.prepare()
    }

    /// Takes away one copy of each blob that an older segment holds too, as a process left them that died while it
    /// moved blobs. The older copy was durable before the other was begun, which may not be, although it can be read
    /// now; it goes only where it is damaged.
    private static func settle(
        _ table: inout SegmentIndex.Table, _ index: inout SegmentIndex, _ files: SegmentFiles
    ) throws(StorageError) {
        var changed: [UInt64: OpenFile] = [:]
        for entry in table.entries {
            guard let older = index.location(of: entry.name), let file = try files.file(older.segment.number)
            else { continue }
            let payload = try SystemError.translated { () throws(SystemError) in try file.payload(of: older.entry) }
            if payload == nil {
                try SystemError.translated { () throws(SystemError) in try file.markDead(slot: older.entry.slot) }
                index.remove(entry.name, from: older.segment.number)
                changed[older.segment.number] = file
            } else if let file = try files.file(table.segment.number) {
                try SystemError.translated { () throws(SystemError) in try file.markDead(slot: entry.slot) }
                table.remove(entry.name)
                changed[table.segment.number] = file
            }
        }
        for file in changed.values {
            try SystemError.translated { () throws(SystemError) in try LinuxCalls.syncData(file) }
        }
    }

    /// Adds a request to the next batch. Its completion is called once, on any thread, when what it asks for is
    /// durable.
    func submit(_ request: Request) {
        let (isTaken, wakes) = queue.withLock { queue in
            guard !queue.isClosed, queue.requests.count < Self.queueLimit else { return (false, false) }
            queue.requests.append(request)
            defer { queue.isDraining = true }
            return (true, !queue.isDraining)
        }
        guard isTaken else { return request.complete(.failure(.unavailable("too many calls wait for the disk"))) }
        if wakes { thread.submit { self.drain() } }
    }

    /// Refuses what comes from now on, and calls `complete` when the thread has done what came before.
    func close(_ complete: @escaping @Sendable () -> Void) {
        queue.withLock { $0.isClosed = true }
        let isTaken = thread.submit { [self] in
            // Whoever makes a segment meanwhile must be done with it before the directory is opened again.
            writer.withLock { $0.spare }.close()
            complete()
        }
        if !isTaken { complete() }
    }

    /// Whether a blob is here.
    func holds(_ name: BlobName) -> Bool {
        index.withLock { $0.location(of: PackedName(name)) != nil }
    }

    /// A blob's bytes; nil where it is not here, or not any more because somebody else deleted its segment.
    ///
    /// - Throws: `corrupt` where they fail their check; `unavailable` where the directory is gone.
    func payload(of name: BlobName) throws(StorageError) -> ByteBuffer? {
        let packed = PackedName(name)
        while let location = index.withLock({ $0.location(of: packed) }) {
            let number = location.segment.number
            guard let file = try files.file(number) else {
                // A segment that was emptied left the index before its file went, so that the blob is looked for anew.
                index.withLock { index in
                    if index.location(of: packed)?.segment.number == number { index.remove(number) }
                }
                continue
            }
            let bytes = try SystemError.translated { () throws(SystemError) in try file.payload(of: location.entry) }
            guard let bytes else { throw .corrupt("segment \(number), slot \(location.entry.slot)") }
            return bytes
        }
        return nil
    }

    /// Bytes of a blob, unchecked, where its segment is open and memory holds them; nil otherwise, which says nothing
    /// of the blob.
    func cached(_ name: BlobName, range: Range<Int64>) throws(StorageError) -> ByteBuffer? {
        guard let location = index.withLock({ $0.location(of: PackedName(name)) }), range.lowerBound >= 0,
            range.upperBound <= Int64(location.entry.length), let file = files.kept(location.segment.number)
        else { return nil }
        return try SystemError.translated { () throws(SystemError) in
            // What somebody else deleted is for `payload(of:)` to find out about.
            guard try LinuxCalls.status(of: file).links > 0 else { return nil }
            let offset = Int64(location.entry.offset) + range.lowerBound
            return try LinuxCalls.readCached(file, count: range.count, at: offset)
        }
    }

    /// Up to `limit` blobs after a name, in order.
    func page(after: BlobName?, limit: Int) throws(StorageError) -> [BlobSummary] {
        try files.checkDirectory()
        if let newest = index.withLock({ $0.newest }), try files.file(newest) == nil,
            index.withLock({ $0.newest }) == newest
        {
            throw .unavailable("a segment was deleted by somebody else")
        }
        let page = index.withLock { $0.page(after: after.map(PackedName.init), limit: limit) }
        return page.compactMap { blob in blob.name.name.map { BlobSummary(name: $0, length: blob.length) } }
    }

    /// The life of a burst of requests, on the log's thread.
    private func drain() {
        while true {
            let (requests, isClosed) = nextBatch()
            // Without requests, what is left is to empty sparse segments.
            let isWorking = requests.isEmpty && isClosed ? false : writer.withLock { $0.perform(requests, index) }
            guard requests.isEmpty, !isWorking else { continue }
            let isDone = queue.withLock { queue in
                guard queue.requests.isEmpty else { return false }
                queue.isDraining = false
                return true
            }
            if isDone { return }
        }
    }

    /// Requests that do not depend on one another: the second of one name begins the next batch.
    private func nextBatch() -> ([Request], isClosed: Bool) {
        queue.withLock { queue in
            var (batch, names, bytes): ([Request], Set<PackedName>, Int) = ([], [], 0)
            while let request = queue.requests.first, batch.count < Self.batchRequests, bytes < Self.batchBytes,
                names.insert(request.name).inserted
            {
                if case .write(_, let payload, _) = request { bytes += payload.readableBytes }
                batch.append(queue.requests.removeFirst())
            }
            return (batch, queue.isClosed)
        }
    }
}
