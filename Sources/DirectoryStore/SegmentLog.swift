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

    private let directory: OpenFile
    private let thread: IOThreads
    private let queue = Mutex(Queue())
    private let index: Mutex<SegmentIndex>
    private let writer: Mutex<SegmentWriter>

    /// Opens the segments of a directory.
    ///
    /// - Parameter segmentBytes: Size of a new segment.
    init(
        in directory: OpenFile, segmentBytes: Int64, temporaries: TemporaryFiles, trust: Trust, threads: IOThreads
    ) throws(SystemError) {
        self.directory = directory
        var index = SegmentIndex()
        for name in try LinuxCalls.names(in: directory) where FileLayout.isSegment(name) {
            guard let table = try Segment.open(name, in: directory, threads: threads) else { continue }
            if table.entries.isEmpty {
                try LinuxCalls.removeFile(name, in: directory)
            } else {
                index.add(table)
            }
        }
        do throws(StorageError) {
            thread = try IOThreads(count: 1, name: "segments", queueLimit: 16)
        } catch {
            throw SystemError(number: LinuxCalls.wouldBlock, call: "pthread_create")
        }
        let spare = SegmentSpare(
            in: directory, size: segmentBytes, after: index.tables.last?.segment.number ?? 0,
            temporaries: temporaries, threads: threads)
        writer = Mutex(SegmentWriter(directory: directory, spare: spare, segmentBytes: segmentBytes, trust: trust))
        self.index = Mutex(index)
        spare.prepare()
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

    /// A blob's bytes; nil where it is not here.
    ///
    /// - Throws: `corrupt` where they fail their check; `unavailable` where the segment's file was deleted.
    func payload(of name: BlobName) throws(StorageError) -> ByteBuffer? {
        let packed = PackedName(name)
        guard let location = index.withLock({ $0.location(of: packed) }) else { return nil }
        do throws(SystemError) {
            if try LinuxCalls.status(of: location.segment.file).links == 0 {
                // Emptied segments leave the index before they are deleted; one that is still there was taken from us.
                let now = index.withLock { $0.location(of: packed) }
                guard now?.segment.number != location.segment.number else {
                    throw SystemError(number: LinuxCalls.notFound, call: "fstat")
                }
            }
            if let bytes = try location.segment.payload(of: location.entry) { return bytes }
        } catch {
            throw error.storageError
        }
        throw .corrupt("segment \(location.segment.number), slot \(location.entry.slot)")
    }

    /// Up to `limit` blobs after a name, in order.
    func page(after: BlobName?, limit: Int) throws(StorageError) -> [BlobSummary] {
        do throws(SystemError) {
            var files = [directory]
            if let newest = index.withLock({ $0.tables.last?.segment.file }) { files.append(newest) }
            for file in files where try LinuxCalls.status(of: file).links == 0 {
                throw SystemError(number: LinuxCalls.notFound, call: "fstat")
            }
        } catch {
            throw error.storageError
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
