/// A file that holds disk space for the log: given back when the disk is full, so that what happened until the gateway
/// stops taking mutations can still be recorded.
///
/// It is given back a slice at a time. Who else is writing to a full disk takes what is free at that moment, and then
/// fails; if all of the reserve were free at once, all of it could be gone before the log comes to write.
struct DiskReserve {
    static let fileName = "reserve"
    /// More than a record takes.
    static let slice: Int64 = 64 << 10

    private let directory: PosixDirectory
    private let size: Int64
    private var left: Int64 = 0

    init(in directory: PosixDirectory, size: Int64) {
        (self.directory, self.size) = (directory, size)
    }

    /// Whether nothing of it was given back.
    var isHeld: Bool { left == size }

    /// Takes the space, where it is not held.
    ///
    /// - Throws: what failed, but for a full disk, which leaves what is held.
    mutating func acquire() throws(PosixFailure) {
        guard !isHeld else { return }
        do {
            let file = try PosixFile(directory.file(Self.fileName), .updating)
            left = min(size, try file.size())
            if try !file.allocates(size) {
                // What was allocated in part is given back: the log needs it more.
                return try file.truncate(to: left)
            }
            left = size
        } catch  where error.isOutOfSpace {
            return  // Not even its name finds room.
        }
    }

    /// Gives a slice back; false where nothing was left, so that nothing was gained.
    mutating func release() throws(PosixFailure) -> Bool {
        guard left > 0 else { return false }
        left = max(0, left - Self.slice)
        try PosixFile(directory.file(Self.fileName), .updating).truncate(to: left)
        return true
    }
}
