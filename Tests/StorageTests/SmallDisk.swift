import Foundation
import Primitives
import Testing

/// A file system in memory that is soon full.
enum SmallDisk {
    /// Whether this process may mount: only root may, and not even root where its capabilities were taken away.
    static func isPossible() async throws -> Bool {
        guard geteuid() == 0 else { return false }
        let name = "tidegate-mount-\(Hex.encode(SystemEnvironment().randomBytes(8)))"
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let arguments = ["-t", "tmpfs", "-o", "size=1m", "none", path]
        let isMounted = try await TemporaryDirectory.run("/bin/mount", arguments) == 0
        if isMounted { _ = try await TemporaryDirectory.run("/bin/umount", [path]) }
        try FileManager.default.removeItem(atPath: path)
        return isMounted
    }

    static func with(megabytes: Int, _ use: @Sendable (String) async throws -> Void) async throws {
        try await TemporaryDirectory.with { path in
            let arguments = ["-t", "tmpfs", "-o", "size=\(megabytes)m", "none", path]
            #expect(try await TemporaryDirectory.run("/bin/mount", arguments) == 0)
            do {
                try await use(path)
            } catch {
                _ = try await TemporaryDirectory.run("/bin/umount", ["-l", path])
                throw error
            }
            _ = try await TemporaryDirectory.run("/bin/umount", ["-l", path])
        }
    }
}
