import Synchronization

/// The directories below `files`, made where they are missing, the last used ones kept open.
final class FanOut: Sendable {
    /// How many directories are kept open: more than one only while several epochs or kinds of blob are written.
    private static let openLimit = 16

    /// A directory that is durably there.
    final class Directory: Sendable {
        let file: OpenFile
        let sync: GroupSync

        init(_ file: OpenFile) {
            self.file = file
            sync = GroupSync(file)
        }
    }

    private let parent: OpenFile
    private let open = Mutex<[String: Directory]>([:])

    init(parent: OpenFile) {
        self.parent = parent
    }

    /// The directory of this name, made durably where there is none.
    func ensured(_ name: String) throws(SystemError) -> Directory {
        if let directory = open.withLock({ $0[name] }) { return directory }
        do throws(SystemError) {
            try LinuxCalls.makeDirectory(name, in: parent)
        } catch {
            guard error.number == LinuxCalls.exists else { throw error }
        }
        // Also where it was there already: whoever made it may not have synced it yet.
        try LinuxCalls.sync(parent)
        let directory = Directory(try LinuxCalls.open(name, below: parent, .directory))
        return open.withLock { open in
            if let directory = open[name] { return directory }
            if open.count >= Self.openLimit, let victim = open.keys.first { open[victim] = nil }
            open[name] = directory
            return directory
        }
    }

    /// The directory of this name.
    ///
    /// - Throws: an error that `isNotFound` where there is none.
    func existing(_ name: String) throws(SystemError) -> Directory {
        if let directory = open.withLock({ $0[name] }) { return directory }
        return Directory(try LinuxCalls.open(name, below: parent, .directory))
    }

    /// Every directory, in order.
    func names() throws(SystemError) -> [String] {
        // A fresh descriptor, since its position in the directory is its own.
        let listed = try LinuxCalls.open(".", below: parent, .directory)
        return try LinuxCalls.names(in: listed).filter(FileLayout.isDirectory)
            .sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    /// Removes the directories that hold nothing. Only while nobody writes.
    func removeEmpty() throws(SystemError) {
        for name in try names() {
            do throws(SystemError) {
                try LinuxCalls.removeDirectory(name, in: parent)
            } catch {
                guard error.number == LinuxCalls.notEmpty || error.number == LinuxCalls.notDirectory else {
                    throw error
                }
            }
        }
    }
}
