import NIOCore
package import Storage

/// What is found where a store's directory should be, without opening it as a store.
package struct DirectoryInspection: Sendable, Hashable {
    package enum Content: Sendable, Hashable {
        /// There is no such directory.
        case missing
        /// Nothing is in it but what a new file system has.
        case empty
        /// The layout of a store.
        case store
        /// Files that are no store's.
        case foreign
    }

    package var content: Content
    /// Whether the directory is the root of a file system of its own.
    package var isMountPoint: Bool

    /// What a fresh ext4 has, and what an interrupted first start leaves.
    private static let ignored: Set<String> = ["lost+found", FileLayout.lock]

    package init(content: Content, isMountPoint: Bool) {
        (self.content, self.isMountPoint) = (content, isMountPoint)
    }

    init(_ path: String) throws(SystemError) {
        let root: OpenFile
        do throws(SystemError) {
            root = try LinuxCalls.openRoot(path)
        } catch {
            guard error.isNotFound else { throw error }
            (content, isMountPoint) = (.missing, false)
            return
        }
        let parent = try LinuxCalls.status(of: "..", in: root)
        isMountPoint = try LinuxCalls.status(of: root).device != parent.device
        let names = try LinuxCalls.names(in: root)
        if names.contains(FileLayout.files) {
            content = .store
        } else {
            content = names.allSatisfy { Self.ignored.contains($0) } ? .empty : .foreign
        }
    }
}

extension DirectoryStore {
    /// Looks at a directory before it is opened.
    ///
    /// - Throws: `unavailable` where the system does not let it be read.
    package static func inspect(_ path: String) async throws(StorageError) -> DirectoryInspection {
        let threads = try IOThreads(count: 1, name: "inspect")
        return try await threads.run { () throws(StorageError) in
            do throws(SystemError) {
                return try DirectoryInspection(path)
            } catch {
                throw error.storageError
            }
        }
    }

    /// Whose the store in a directory is, without opening it: nothing is changed, and it may be open elsewhere. Nil
    /// where nothing says so.
    ///
    /// Opening a store takes its lock, removes half-written files and cuts segments, none of which is for a store that
    /// belongs to somebody else.
    ///
    /// - Throws: `corrupt` where it cannot be read; `unavailable`, also for a format newer than this code.
    package static func readIdentity(at path: String) async throws(StorageError) -> StoreIdentity? {
        let threads = try IOThreads(count: 1, name: "inspect")
        return try await threads.run { () throws(StorageError) in
            let bytes: ByteBuffer
            do throws(SystemError) {
                let file = try LinuxCalls.open(FileLayout.identity, below: LinuxCalls.openRoot(path), .read)
                bytes = try LinuxCalls.read(file, count: StoreIdentityText.limit, at: 0)
            } catch {
                // As when the store is open: a link is none of ours, and is not followed.
                guard error.isNotFound || error.isEscape else { throw error.storageError }
                return nil
            }
            return try StoreIdentityText.decode(bytes)
        }
    }
}
