import NIOCore
import Primitives
import Storage

/// A store's directory while it is open: its descriptors, its lock, and whether it can still be trusted. Every method
/// blocks and runs on the store's threads.
final class OpenedDirectory: Sendable {
    let root: OpenFile
    let lock: OpenFile
    let fanOut: FanOut
    let threads: IOThreads
    private let path: String
    private let files: OpenFile
    private let temporary: OpenFile
    private let temporaries: TemporaryFiles
    private let segments: OpenFile
    /// The small blobs.
    let log: SegmentLog
    let trust = Trust()

    /// Opens the directory, takes its lock, and removes what a crashed process left half-written.
    ///
    /// - Parameters:
    ///   - creating: Whether the directory and what it must hold are made where they are missing.
    ///   - lock: The lock that this process holds already, where it reopens the store.
    ///   - session: A random number, part of the names of temporary files.
    ///   - segmentBytes: Size of a new segment of small blobs.
    init(
        _ path: String, creating: Bool, lock: OpenFile?, session: UInt64, segmentBytes: Int64, threads: IOThreads
    ) throws(StorageError) {
        self.path = path
        self.threads = threads
        do throws(SystemError) {
            root = try Self.openRoot(path, creating: creating)
            self.lock = try Self.takeLock(in: root, creating: creating, held: lock)
            if creating {
                for name in [FileLayout.temporary, FileLayout.files, FileLayout.segments] {
                    try Self.ensureDirectory(name, in: root)
                }
                try LinuxCalls.sync(root)
            }
            temporary = try LinuxCalls.open(FileLayout.temporary, below: root, .directory)
            files = try LinuxCalls.open(FileLayout.files, below: root, .directory)
            fanOut = FanOut(parent: files)
            temporaries = try TemporaryFiles(in: temporary, session: session, threads: threads)
            try fanOut.removeEmpty()
            segments = try LinuxCalls.open(FileLayout.segments, below: root, .directory)
        } catch {
            if error.number == LinuxCalls.wouldBlock { throw .unavailable("another process has the store open") }
            throw error.storageError
        }
        log = try SegmentLog(
            in: segments, segmentBytes: segmentBytes, temporaries: temporaries, trust: trust, threads: threads)
    }

    /// Whether it is trusted and still the directory that its path names.
    func isHealthy() -> Bool {
        trust.isWhole && isInPlace()
    }

    /// The room of the file system that it is on.
    func space() throws(SystemError) -> DirectorySpace { try LinuxCalls.space(of: root) }

    /// Whether it is still the directory that its path names.
    func isInPlace() -> Bool {
        do throws(SystemError) {
            let now = try LinuxCalls.openRoot(path)
            let status = try LinuxCalls.status(of: root)
            guard try LinuxCalls.status(of: now).isSameFile(as: status) else { return false }
            for (name, file) in [
                (FileLayout.lock, lock), (FileLayout.temporary, temporary), (FileLayout.files, files),
                (FileLayout.segments, segments),
            ] {
                let status = try LinuxCalls.status(of: file)
                guard try LinuxCalls.status(of: name, in: root).isSameFile(as: status) else { return false }
            }
            return true
        } catch {
            return false
        }
    }

    /// Writes buffers to a temporary file, a new one where none is given.
    func append(
        _ buffers: [ByteBuffer], to file: TemporaryFile?, at offset: Int64
    ) throws(StorageError) -> TemporaryFile {
        try trust.check()
        return try changing { () throws(SystemError) in
            let file = if let file { file } else { try temporaries.make() }
            try file.write(buffers, at: offset)
            return file
        }
    }

    /// Syncs a file, gives it its name, and completes once that is durable.
    ///
    /// A blob that has the name already is never replaced: it is this one, written again, or it is `corrupt`.
    func publish(
        _ file: TemporaryFile, as name: BlobName, _ complete: @escaping @Sendable (Result<Void, StorageError>) -> Void
    ) {
        do throws(StorageError) {
            try trust.check()
            guard !log.holds(name) else { throw .corrupt(Self.otherBytes) }
            try trust.syncing { () throws(SystemError) in try file.sync() }
            let (directory, present) = try changing { () throws(SystemError) in
                let directory = try fanOut.ensured(FileLayout.directory(of: name))
                return (directory, try publish(file, as: name.description, in: directory.file))
            }
            if let present {
                guard try changing({ () throws(SystemError) in try file.hasBytes(of: present) }) else {
                    throw .corrupt(Self.otherBytes)
                }
            }
            // What was there already may not be durable yet: whoever wrote it may have died before this sync.
            directory.sync.join { complete(self.outcome(ofSync: $0, publishing: present ?? file.file)) }
        } catch {
            complete(.failure(error))
        }
    }

    private static let otherBytes = "a blob is there with other bytes"

    /// Gives a file its name, in place of anything but a blob's file: that is returned, where there is one.
    private func publish(
        _ file: TemporaryFile, as name: String, in directory: OpenFile
    ) throws(SystemError) -> OpenFile? {
        do throws(SystemError) {
            try file.publish(as: name, in: directory)
            return nil
        } catch {
            guard error.number == LinuxCalls.exists else { throw error }
        }
        if try LinuxCalls.status(of: name, in: directory).isRegular {
            return try LinuxCalls.open(name, below: directory, .read, closedOn: threads)
        }
        // A link or a pipe is none of ours, and holds no blob.
        try file.publish(as: name, in: directory, replacing: true)
        return nil
    }

    /// Removes a blob's file, and completes once that is durable.
    func remove(_ name: BlobName, _ complete: @escaping @Sendable (Result<Void, StorageError>) -> Void) {
        do throws(StorageError) {
            try trust.check()
            let directory = try finding { () throws(SystemError) in
                let directory = try fanOut.existing(FileLayout.directory(of: name))
                try LinuxCalls.removeFile(name.description, in: directory.file)
                return directory
            }
            directory.sync.join { complete(self.outcome(ofSync: $0)) }
        } catch .notFound {
            complete(.success(()))
        } catch {
            complete(.failure(error))
        }
    }

    /// Opens a blob's file for reading.
    ///
    /// - Returns: The file and its length.
    func openBlob(_ name: BlobName) throws(StorageError) -> (file: OpenFile, length: Int64) {
        try finding { () throws(SystemError) in
            let file = try LinuxCalls.open(FileLayout.path(of: name), below: files, .read, closedOn: threads)
            let status = try LinuxCalls.status(of: file)
            // Only a regular file can be ours.
            guard status.isRegular else { throw SystemError(number: LinuxCalls.notFound, call: "openat2") }
            return (file, status.size)
        }
    }

    /// Reads a range of a small blob, or opens a blob's file and reads the first piece of a range.
    ///
    /// - Returns: The file, where there is more to read, and the piece.
    func beginRead(
        _ name: BlobName, _ range: Range<Int64>, pieceBytes: Int
    ) throws(StorageError) -> (file: OpenFile?, piece: ByteBuffer) {
        if let blob = try log.payload(of: name) {
            guard range.lowerBound >= 0, range.upperBound <= Int64(blob.readableBytes),
                let piece = blob.getSlice(
                    at: blob.readerIndex + Int(range.lowerBound), length: Int(range.upperBound - range.lowerBound))
            else { throw .invalidRange }
            return (nil, piece)
        }
        let (file, length) = try openBlob(name)
        guard range.lowerBound >= 0, range.upperBound <= length else { throw .invalidRange }
        let count = Int(min(Int64(pieceBytes), range.upperBound - range.lowerBound))
        let piece = try file.piece(at: range.lowerBound, count: count)
        return (Int64(count) < range.upperBound - range.lowerBound ? file : nil, piece)
    }

    /// Up to `limit` blobs after a name, in order.
    func summaries(after: BlobName?, limit: Int) throws(StorageError) -> [BlobSummary] {
        let small = try log.page(after: after, limit: limit)
        let large = try fileSummaries(after: after, limit: limit)
        guard !small.isEmpty, !large.isEmpty else { return small + large }
        let merged = (small + large).map { (PackedName($0.name), $0) }.sorted { $0.0 < $1.0 }
        var previous: PackedName?
        let distinct = merged.filter { name, _ in
            defer { previous = name }
            return name != previous
        }
        return distinct.prefix(limit).map(\.1)
    }

    /// Up to `limit` blobs kept as files of their own, after a name, in order.
    private func fileSummaries(after: BlobName?, limit: Int) throws(StorageError) -> [BlobSummary] {
        var summaries: [BlobSummary] = []
        let first = after.map(FileLayout.directory(of:))
        let packedAfter = after.map(PackedName.init)
        let directories = try finding { () throws(SystemError) in try fanOut.names() }
        for directory in directories where first.map({ !directory.utf8.lexicographicallyPrecedes($0.utf8) }) ?? true {
            guard summaries.count < limit else { break }
            do throws(StorageError) {
                let page = try finding { () throws(SystemError) in
                    try listFiles(in: directory, after: packedAfter, limit: limit - summaries.count)
                }
                summaries += page
            } catch .notFound {
                continue  // The directory went meanwhile, or was never one of ours.
            }
        }
        return summaries
    }

    private func listFiles(
        in directory: String, after: PackedName?, limit: Int
    ) throws(SystemError) -> [BlobSummary] {
        let opened = try LinuxCalls.open(directory, below: files, .directory)
        let names = try LinuxCalls.names(in: opened).compactMap { BlobName($0).map(PackedName.init) }
            .filter { name in after.map { $0 < name } ?? true }.sorted()
        var summaries: [BlobSummary] = []
        for name in names {
            guard summaries.count < limit else { break }
            guard let name = name.name, FileLayout.directory(of: name) == directory else { continue }
            do throws(SystemError) {
                let status = try LinuxCalls.status(of: name.description, in: opened)
                if status.isRegular { summaries.append(BlobSummary(name: name, length: status.size)) }
            } catch {
                guard error.isNotFound else { throw error }  // Deleted since it was listed.
            }
        }
        return summaries
    }

    /// Writes a small file beside the blobs, atomically and durably.
    func replace(_ name: String, with bytes: ByteBuffer) throws(StorageError) {
        let file = try append([bytes], to: nil, at: 0)
        try trust.syncing { () throws(SystemError) in try file.sync() }
        try changing { () throws(SystemError) in try file.publish(as: name, in: root, replacing: true) }
        try trust.syncing { () throws(SystemError) in try LinuxCalls.sync(root) }
    }

    /// Reads a small file beside the blobs; nil where there is none.
    func contents(of name: String, limit: Int) throws(StorageError) -> ByteBuffer? {
        do throws(StorageError) {
            return try finding { () throws(SystemError) in
                let file = try LinuxCalls.open(name, below: root, .read)
                return try LinuxCalls.read(file, count: limit, at: 0)
            }
        } catch .notFound {
            return nil
        }
    }

    /// Runs calls that change the store: whatever they miss is the store's fault.
    private func changing<Value>(_ work: () throws(SystemError) -> Value) throws(StorageError) -> Value {
        try SystemError.translated(work)
    }

    /// Runs calls that look for something: what is missing is not there, unless the whole directory is gone. A symbolic
    /// link where a blob of ours would be is none of ours, and is never followed.
    private func finding<Value>(_ work: () throws(SystemError) -> Value) throws(StorageError) -> Value {
        do throws(SystemError) {
            return try work()
        } catch {
            guard error.isNotFound || error.isEscape else { throw error.storageError }
            guard try changing({ () throws(SystemError) in try LinuxCalls.status(of: files).links > 0 })
            else { throw .unavailable("the store's directory is gone") }
            throw .notFound
        }
    }

    /// - Parameter file: What was given a name before the sync; without one by now it is not kept.
    private func outcome(
        ofSync failure: SystemError?, publishing file: OpenFile? = nil
    ) -> Result<Void, StorageError> {
        if let failure { return .failure(trust.lose(failure)) }
        guard let file else { return .success(()) }
        do throws(StorageError) {
            guard try changing({ () throws(SystemError) in try LinuxCalls.status(of: file).links > 0 })
            else { throw .unavailable("the file was deleted before it was durable") }
            return .success(())
        } catch {
            return .failure(error)
        }
    }
}

extension OpenedDirectory {
    /// Asks the log of small blobs for something, and returns once it is durable.
    func submit(
        _ request: (@escaping SegmentLog.Completion) -> SegmentLog.Request
    ) async throws(StorageError) {
        let result = await withCheckedContinuation { continuation in
            log.submit(request { continuation.resume(returning: $0) })
        }
        try result.get()
    }

    /// Refuses small blobs from now on, and returns once those that came before are done with.
    func settle() async {
        await withCheckedContinuation { continuation in log.close { continuation.resume() } }
    }

    private static func openRoot(_ path: String, creating: Bool) throws(SystemError) -> OpenFile {
        do throws(SystemError) {
            return try LinuxCalls.openRoot(path)
        } catch {
            guard creating, error.number == LinuxCalls.notFound else { throw error }
            try LinuxCalls.makeRoot(path)
            let root = try LinuxCalls.openRoot(path)
            // Makes the root's own name durable. A root of the file system has no parent to sync.
            try LinuxCalls.sync(LinuxCalls.openRoot(path + "/.."))
            return root
        }
    }

    /// Takes the lock, or keeps the one that is held where the file is still the same.
    private static func takeLock(
        in root: OpenFile, creating: Bool, held: OpenFile?
    ) throws(SystemError) -> OpenFile {
        let file = try LinuxCalls.open(FileLayout.lock, below: root, creating ? .ensure : .update)
        if let held {
            let status = try LinuxCalls.status(of: held)
            if try LinuxCalls.status(of: file).isSameFile(as: status) { return held }
        }
        try LinuxCalls.lock(file)
        return file
    }

    private static func ensureDirectory(_ name: String, in root: OpenFile) throws(SystemError) {
        do throws(SystemError) {
            try LinuxCalls.makeDirectory(name, in: root)
        } catch {
            guard error.number == LinuxCalls.exists else { throw error }
        }
    }
}

extension OpenFile {
    /// Bytes of a blob that memory holds; nil where the disk would have to be waited for, or the file has become
    /// shorter than its blob.
    ///
    /// - Throws: `unavailable` where the disk fails.
    func cachedPiece(at offset: Int64, count: Int) throws(StorageError) -> ByteBuffer? {
        try SystemError.translated { () throws(SystemError) in
            try LinuxCalls.readCached(self, count: count, at: offset)
        }
    }

    /// Bytes of a blob, which are all there.
    ///
    /// - Throws: `corrupt` where the file has become shorter than its blob; `unavailable` where the disk fails.
    func piece(at offset: Int64, count: Int) throws(StorageError) -> ByteBuffer {
        let bytes: ByteBuffer
        do throws(SystemError) {
            bytes = try LinuxCalls.read(self, count: count, at: offset)
        } catch {
            throw error.storageError
        }
        guard bytes.readableBytes == count else { throw .corrupt("the file ends early") }
        return bytes
    }
}
