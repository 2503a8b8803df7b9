/// A descriptor that is closed when nobody uses it any more, on whatever path that comes about.
///
/// It is a class, since the calls on it run on the store's threads while its owner is a task.
final class OpenFile: Sendable {
    /// For `LinuxCalls` alone, which keeps the object alive while it uses the number.
    let descriptor: Int32
    /// Where it is closed; nil for where its last user happens to be. The last close of a file that was deleted
    /// meanwhile frees its blocks, which blocks.
    private let threads: IOThreads?

    init(_ descriptor: Int32, closedOn threads: IOThreads? = nil) {
        self.descriptor = descriptor
        self.threads = threads
    }

    deinit {
        let isTaken = threads?.submit { [descriptor] in LinuxCalls.close(descriptor) } ?? false
        if !isTaken { LinuxCalls.close(descriptor) }
    }
}
