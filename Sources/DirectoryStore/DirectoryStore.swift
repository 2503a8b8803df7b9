package import NIOCore
package import Primitives
package import Storage
import Synchronization

/// A blob store in one local directory, which is one failure domain.
///
/// Names of files derive from blobs' names alone, and everything is opened below the root without following a symbolic
/// link. One process at a time has a store open. A sync that fails turns the store suspect: it reads on but writes no
/// more, until `reopen(recreating:)`.
package final class DirectoryStore: BlobStore {
    /// Bytes gathered before a hop to the disk, and the most that a sink gets at once.
    private static let pieceBytes = 1 << 19

    /// A blob of at most so many bytes is kept in a segment with others (the page DirectoryStore of Decisions).
    private static let smallBytes: Int64 = 64 << 10

    private enum State {
        case opened(OpenedDirectory)
        /// Not open; the sentence says why.
        case closed(String)
    }

    /// The directory's path, for logs.
    package let path: String

    /// Where a blob is below the directory, if it is not in a segment.
    package static func filePath(of name: BlobName) -> String { "\(FileLayout.files)/\(FileLayout.path(of: name))" }

    private let threads: IOThreads
    private let segmentBytes: Int64
    private let environment: any Environment
    private let state: Mutex<State>

    /// Opens a store.
    ///
    /// The caller has compared `readIdentity(at:)` with its deployment's: opening cleans up, which is not for a store
    /// that is another's.
    ///
    /// - Parameters:
    ///   - path: The directory; its parent must exist.
    ///   - creating: Whether the directory and its layout are made where they are missing. False is for a store that
    ///     was used before: an empty directory where a disk should be mounted is then refused.
    ///   - threadCount: How many calls of the disk may block at once, beside the thread that writes small blobs.
    ///   - segmentBytes: Size of a file of small blobs: 1 MiB to 1 GiB. Beside those that are full the store has two:
    ///     one that is written to, and one that is ready.
    /// - Throws: `unavailable` where there is no such store, or another process has it open; `full`.
    package static func open(
        _ path: String, creating: Bool, environment: any Environment, threadCount: Int = 8,
        segmentBytes: Int64 = 16 << 20
    ) async throws(StorageError) -> DirectoryStore {
        let threads = try IOThreads(count: threadCount, name: "store")
        let session = environment.random()
        let segmentBytes = min(max(segmentBytes, 1 << 20), 1 << 30).roundedUp(to: 1 << 20)
        let opened = try await threads.run { () throws(StorageError) in
            try OpenedDirectory(
                path, creating: creating, lock: nil, session: session, segmentBytes: segmentBytes, threads: threads)
        }
        return DirectoryStore(path, opened, environment, segmentBytes)
    }

    private init(_ path: String, _ opened: OpenedDirectory, _ environment: any Environment, _ segmentBytes: Int64) {
        self.path = path
        self.threads = opened.threads
        self.environment = environment
        self.segmentBytes = segmentBytes
        state = Mutex(.opened(opened))
    }

    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        let opened = try current()
        try opened.trust.check()
        var file: TemporaryFile?
        var length: Int64 = 0
        while true {
            let (piece, isLast) = try await Self.gather(&body)
            let offset = length
            length += piece.reduce(0) { $0 + Int64($1.readableBytes) }
            if isLast, file == nil, length <= Self.smallBytes {
                var blob = ByteBuffer()
                for buffer in piece { blob.writeImmutableBuffer(buffer) }
                try await opened.submit { SegmentLog.Request.write(PackedName(name), blob, $0) }
                return BlobReceipt(length: length)
            }
            if isLast {
                let started = file
                try await threads.runCompleting { complete in
                    do throws(StorageError) {
                        let file = try opened.append(piece, to: started, at: offset)
                        opened.publish(file, as: name, complete)
                    } catch {
                        complete(.failure(error))
                    }
                }
                return BlobReceipt(length: length)
            }
            let started = file
            file = try await threads.run { () throws(StorageError) in try opened.append(piece, to: started, at: offset)
            }
        }
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        let opened = try current()
        var (file, piece) = try await threads.run { () throws(StorageError) in
            try opened.beginRead(name, range, pieceBytes: Self.pieceBytes)
        }
        var position = range.lowerBound
        while piece.readableBytes > 0 {
            if Task.isCancelled { throw .sink(BodyError(.cancelled, "The read was cancelled.")) }
            do throws(BodyError) {
                try await sink.write(piece)
            } catch {
                throw .sink(error)
            }
            position += Int64(piece.readableBytes)
            guard let opened = file, position < range.upperBound else { break }
            let (start, count) = (position, Int(min(Int64(Self.pieceBytes), range.upperBound - position)))
            // What memory holds costs no change of threads.
            if let cached = try opened.cachedPiece(at: start, count: count) {
                piece = cached
            } else {
                piece = try await threads.run { () throws(StorageError) in try opened.piece(at: start, count: count) }
            }
        }
        file = nil
    }

    /// Of small blobs whose bytes the page cache holds.
    package func readAtOnce(_ name: BlobName, range: Range<Int64>) throws(StorageError) -> ByteBuffer? {
        try current().log.cached(name, range: range)
    }

    package func delete(_ name: BlobName) async throws(StorageError) {
        let opened = try current()
        if opened.log.holds(name) {
            try await opened.submit { SegmentLog.Request.delete(PackedName(name), $0) }
        } else {
            try await threads.runCompleting { complete in opened.remove(name, complete) }
        }
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        let opened = try current()
        guard limit > 0 else { return [] }
        return try await threads.run { () throws(StorageError) in try opened.summaries(after: after, limit: limit) }
    }

    /// The next pieces of a body, of about `pieceBytes` together, and whether they are its last.
    private static func gather(_ body: inout Body) async throws(StorageError) -> ([ByteBuffer], isLast: Bool) {
        var (buffers, bytes): ([ByteBuffer], Int) = ([], 0)
        while bytes < pieceBytes {
            guard let buffer = try await body.nextOfSource() else { return (buffers, true) }
            bytes += buffer.readableBytes
            buffers.append(buffer)
        }
        return (buffers, false)
    }
}

extension DirectoryStore {
    /// Whose the store is; nil where that was never written.
    ///
    /// - Throws: `corrupt` where it cannot be read; `unavailable`, also for a format newer than this code.
    package func readIdentity() async throws(StorageError) -> StoreIdentity? {
        let opened = try current()
        return try await threads.run { () throws(StorageError) in
            guard let bytes = try opened.contents(of: FileLayout.identity, limit: StoreIdentityText.limit) else {
                return nil
            }
            return try StoreIdentityText.decode(bytes)
        }
    }

    /// Says whose the store is, durably and at once: a crash leaves the old identity or the new one.
    package func writeIdentity(_ identity: StoreIdentity) async throws(StorageError) {
        let opened = try current()
        try await threads.run { () throws(StorageError) in
            try opened.replace(FileLayout.identity, with: StoreIdentityText.encode(identity))
        }
    }

    /// Whether the store is open, has seen no sync fail, and is still the directory that its path names.
    package func isHealthy() async -> Bool {
        do throws(StorageError) {
            let opened = try current()
            return try await threads.run { opened.isHealthy() }
        } catch {
            return false
        }
    }

    /// Whether the store is open and still the directory that its path names, whether it can be written or not.
    package func isInPlace() async -> Bool {
        do throws(StorageError) {
            let opened = try current()
            return try await threads.run { opened.isInPlace() }
        } catch {
            return false
        }
    }

    /// The room of the file system that the store is on.
    ///
    /// - Throws: `unavailable` where the store is closed, or the system does not say.
    package func space() async throws(StorageError) -> DirectorySpace {
        let opened = try current()
        return try await threads.run { () throws(StorageError) in
            do throws(SystemError) {
                return try opened.space()
            } catch {
                throw error.storageError
            }
        }
    }

    /// Why nothing may be written any more although the directory is there: a sync that failed. Nil where none did.
    package var suspicion: String? {
        guard case .opened(let opened) = state.withLock({ $0 }) else { return nil }
        return opened.trust.reason
    }

    /// Opens the store afresh, after its disk came back or its owner has dealt with a failed sync. What is under way
    /// fails or ends on the old directory.
    ///
    /// - Parameter recreating: Whether the layout is made where it is missing, as after a disk was replaced by an empty
    ///   one; the store has no identity then.
    /// - Throws: As `open`. The store stays closed then.
    package func reopen(recreating: Bool) async throws(StorageError) {
        let old = try state.withLock { (state) throws(StorageError) -> OpenedDirectory? in
            switch state {
            case .opened(let opened):
                state = .closed(Self.reopening)
                return opened
            case .closed(let reason):
                guard !reason.utf8.elementsEqual(Self.reopening.utf8) else { throw .unavailable(reason) }
                state = .closed(Self.reopening)
                return nil
            }
        }
        await old?.settle()
        let lock = old?.lock
        let session = environment.random()
        do throws(StorageError) {
            let opened = try await threads.run { [path, segmentBytes, threads] () throws(StorageError) in
                try OpenedDirectory(
                    path, creating: recreating, lock: lock, session: session, segmentBytes: segmentBytes,
                    threads: threads)
            }
            state.withLock { $0 = .opened(opened) }
        } catch {
            state.withLock { $0 = .closed("it could not be reopened: \(error)") }
            throw error
        }
    }

    /// Closes the store: what comes later is refused, and another process may open it once what is under way has ended.
    package func close() async {
        let old = state.withLock { state -> OpenedDirectory? in
            guard case .opened(let opened) = state else { return nil }
            state = .closed("it was closed")
            return opened
        }
        await old?.settle()
    }

    private static let reopening = "it is being reopened"

    private func current() throws(StorageError) -> OpenedDirectory {
        switch state.withLock({ $0 }) {
        case .opened(let opened): return opened
        case .closed(let reason): throw .unavailable("the store is closed: \(reason)")
        }
    }
}
