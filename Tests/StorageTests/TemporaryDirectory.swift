import DirectoryStore
import Foundation
import Primitives
import Storage
import Testing

/// A directory for one test, removed with all it holds.
enum TemporaryDirectory {
    static func with(_ use: @Sendable (String) async throws -> Void) async throws {
        let name = "tidegate-\(Hex.encode(SystemEnvironment().randomBytes(8)))"
        let path = FileManager.default.temporaryDirectory.appendingPathComponent(name).path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let result: Result<Void, any Error>
        do {
            try await use(path)
            result = .success(())
        } catch {
            result = .failure(error)
        }
        try FileManager.default.removeItem(atPath: path)
        try result.get()
    }

    /// Every regular file below a directory, by its path from there.
    static func files(in path: String) throws -> [String] {
        try FileManager.default.subpathsOfDirectory(atPath: path).filter { subpath in
            // A file may go between the listing and this: it is none then.
            let attributes = try? FileManager.default.attributesOfItem(atPath: "\(path)/\(subpath)")
            return attributes?[.type] as? FileAttributeType == .typeRegular
        }
    }

    /// How many descriptors of this process are of something below a directory, deleted files included.
    static func openDescriptors(below path: String) throws -> Int {
        let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
        return try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").count { descriptor in
            // A descriptor may be closed between the listing and this: it is not open then.
            let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(descriptor)")
            return target?.hasPrefix(resolved) ?? false
        }
    }

    /// Runs a program and returns its status.
    static func run(_ program: String, _ arguments: [String]) async throws -> Int32 {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = arguments
        process.standardError = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        return try await withCheckedThrowingContinuation { continuation in
            process.terminationHandler = { continuation.resume(returning: $0.terminationStatus) }
            do {
                try process.run()
            } catch {
                continuation.resume(throwing: error)
            }
        }
    }
}

/// Waits until a condition holds, for minutes at most: what the deadline bounds is a test that hangs, not how busy the
/// machine may be.
func eventually(_ condition: @Sendable () async throws -> Bool) async throws -> Bool {
    let environment = SystemEnvironment()
    let deadline = environment.monotonicNanoseconds() + 180_000_000_000
    while try await !condition() {
        guard environment.monotonicNanoseconds() < deadline else { return false }
        try await environment.sleep(for: .milliseconds(2))
    }
    return true
}

extension DirectoryStore {
    /// Opens a store that this process has closed. The thread that did its last call lets go of it, and of its lock, a
    /// moment after the call was answered.
    static func onceClosed(_ open: () async throws -> DirectoryStore) async throws -> DirectoryStore {
        let environment = SystemEnvironment()
        let end = environment.monotonicNanoseconds() + 60_000_000_000
        while true {
            do {
                return try await open()
            } catch StorageError.unavailable("another process has the store open")
                where environment.monotonicNanoseconds() < end
            {
                try await environment.sleep(for: .milliseconds(1))
            }
        }
    }
}
