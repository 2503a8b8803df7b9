import Storage
import Synchronization

/// The files of segments. The last used ones are kept open, and no more: a large store has more segments than a process
/// may have descriptors.
final class SegmentFiles: Sendable {
    /// How many are kept open.
    private static let openLimit = 64

    let directory: OpenFile
    private let threads: IOThreads
    private let open = Mutex<[UInt64: OpenFile]>([:])

    init(in directory: OpenFile, threads: IOThreads) {
        (self.directory, self.threads) = (directory, threads)
    }

    /// The numbers of all segments there are, in order.
    func numbers() throws(SystemError) -> [UInt64] {
        try LinuxCalls.names(in: LinuxCalls.open(".", below: directory, .directory))
            .compactMap(FileLayout.segmentNumber).sorted()
    }

    /// The file of a segment; nil where somebody else deleted it.
    ///
    /// - Throws: `unavailable` where the whole directory is gone.
    func file(_ number: UInt64) throws(StorageError) -> OpenFile? {
        do throws(SystemError) {
            let file: OpenFile
            if let kept = open.withLock({ $0[number] }) { file = kept } else { file = try opened(number) }
            let status = try LinuxCalls.status(of: file)
            if status.isRegular, status.links > 0 { return file }
        } catch {
            guard error.isNotFound || error.isEscape else { throw error.storageError }
        }
        forget(number)
        try checkDirectory()
        return nil
    }

    /// The file of a segment that is open already.
    func kept(_ number: UInt64) -> OpenFile? { open.withLock { $0[number] } }

    /// - Throws: `unavailable` where the directory is gone.
    func checkDirectory() throws(StorageError) {
        do throws(SystemError) {
            guard try LinuxCalls.status(of: directory).links > 0 else {
                throw SystemError(number: LinuxCalls.notFound, call: "fstat")
            }
        } catch {
            throw error.storageError
        }
    }

    /// Deletes a segment, durably once the directory is synced.
    func remove(_ number: UInt64) throws(SystemError) {
        forget(number)
        try LinuxCalls.removeFile(FileLayout.segment(number), in: directory)
    }

    private func opened(_ number: UInt64) throws(SystemError) -> OpenFile {
        let file = try LinuxCalls.open(
            FileLayout.segment(number), below: directory, .update, closedOn: threads)
        open.withLock { open in
            if open.count >= Self.openLimit, let victim = open.keys.first { open[victim] = nil }
            open[number] = file
        }
        return file
    }

    private func forget(_ number: UInt64) {
        open.withLock { $0[number] = nil }
    }
}
