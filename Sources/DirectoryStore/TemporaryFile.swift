import NIOCore
import Synchronization

/// A file that is being written and that nobody sees yet. It is removed when nobody uses it any more, unless it was
/// published.
final class TemporaryFile: Sendable {
    /// After so many bytes the disk is told to begin writing them, so that the sync at the end has little left to do.
    private static let writebackBytes: Int64 = 8 << 20

    private let name: String
    let file: OpenFile
    private let directory: OpenFile
    private let threads: IOThreads
    private let isPublished = Atomic(false)

    /// Makes the file in the directory of temporary files.
    init(_ name: String, in directory: OpenFile, threads: IOThreads) throws(SystemError) {
        self.name = name
        self.directory = directory
        self.threads = threads
        file = try LinuxCalls.open(name, below: directory, .create, closedOn: threads)
    }

    /// Writes buffers one after the other.
    func write(_ buffers: [ByteBuffer], at offset: Int64) throws(SystemError) {
        var position = offset
        for buffer in buffers {
            try LinuxCalls.write(buffer, to: file, at: position)
            position += Int64(buffer.readableBytes)
        }
        let written = offset / Self.writebackBytes * Self.writebackBytes
        if position - written >= Self.writebackBytes {
            LinuxCalls.startWriteback(file, at: written, count: position - written)
        }
    }

    /// Makes the bytes durable.
    func sync() throws(SystemError) {
        try LinuxCalls.syncData(file)
    }

    /// Gives the file its name in another directory, which is durable once that directory is synced.
    ///
    /// - Parameter replacing: Whether it takes the place of what has the name; `exists` is thrown otherwise.
    func publish(as newName: String, in newDirectory: OpenFile, replacing: Bool = false) throws(SystemError) {
        if replacing {
            try LinuxCalls.rename(name, in: directory, to: newName, in: newDirectory)
        } else {
            try LinuxCalls.renameNew(name, in: directory, to: newName, in: newDirectory)
        }
        isPublished.store(true, ordering: .releasing)
    }

    /// Whether another file has the same bytes as this one.
    func hasBytes(of other: OpenFile) throws(SystemError) -> Bool {
        guard try LinuxCalls.status(of: file).size == LinuxCalls.status(of: other).size else { return false }
        var offset: Int64 = 0
        while true {
            let bytes = try LinuxCalls.read(file, count: 1 << 20, at: offset)
            guard try LinuxCalls.read(other, count: 1 << 20, at: offset) == bytes else { return false }
            if bytes.readableBytes == 0 { return true }
            offset += Int64(bytes.readableBytes)
        }
    }

    deinit {
        guard !isPublished.load(ordering: .acquiring) else { return }
        let remove: @Sendable () -> Void = { [name, directory] in
            do throws(SystemError) {
                try LinuxCalls.removeFile(name, in: directory)
            } catch {
                // It stays behind under its temporary name, which nothing reads, until the store is next opened.
            }
        }
        if !threads.submit(remove) { remove() }
    }
}

/// Makes temporary files in the directory for them.
final class TemporaryFiles: Sendable {
    private let directory: OpenFile
    private let session: UInt64
    private let threads: IOThreads
    private let last = Atomic<UInt64>(0)

    /// Removes what earlier sessions left, and nothing that is not ours.
    ///
    /// - Parameter session: A random number, part of every name.
    init(in directory: OpenFile, session: UInt64, threads: IOThreads) throws(SystemError) {
        (self.directory, self.session, self.threads) = (directory, session, threads)
        for name in try LinuxCalls.names(in: directory) where FileLayout.isTemporary(name) {
            try LinuxCalls.removeFile(name, in: directory)
        }
    }

    /// A new, empty file that nobody sees yet.
    func make() throws(SystemError) -> TemporaryFile {
        let number = last.add(1, ordering: .relaxed).newValue
        return try TemporaryFile(FileLayout.temporary(session, number), in: directory, threads: threads)
    }
}
