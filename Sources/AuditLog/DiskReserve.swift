/// A file that holds disk space for the log: given back when the disk is full, so that what happened until the gateway
/// stops taking mutations can still be recorded.
struct DiskReserve {
    static let fileName = "reserve"

    private let directory: PosixDirectory
    private let size: Int64
    private(set) var isHeld = false

    init(in directory: PosixDirectory, size: Int64) {
        (self.directory, self.size) = (directory, size)
    }

    /// Takes the space, where it is not held.
    ///
    /// - Throws: what failed, but for a full disk, which leaves the reserve not held.
    mutating func acquire() throws(PosixFailure) {
        guard !isHeld else { return }
        do {
            let file = try PosixFile(directory.file(Self.fileName), .updating)
            try file.allocate(size)
            isHeld = true
        } catch  where error.isOutOfSpace {
            // What was allocated in part is given back: the log needs it more.
            try directory.remove(Self.fileName)
        }
    }

    /// Gives the space back; false where it was not held, so that nothing was gained.
    mutating func release() throws(PosixFailure) -> Bool {
        guard isHeld else { return false }
        isHeld = false
        try directory.remove(Self.fileName)
        return true
    }
}
