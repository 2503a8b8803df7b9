import Audit
import Foundation

/// A directory of one test, removed with it.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        // In memory where that is possible: these tests sync a lot, and ask nothing of the disk itself.
        let memory = "/dev/shm"
        let parent =
            FileManager.default.isWritableFile(atPath: memory) ? memory : FileManager.default.temporaryDirectory.path
        path = parent + "/tidegate-audit-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        // Left behind at worst.
        try? FileManager.default.removeItem(atPath: path)
    }

    /// The names that begin so, sorted.
    func names(_ prefix: String = "") throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).filter { $0.hasPrefix(prefix) }.sorted()
    }

    func read(_ name: String) throws -> [UInt8] {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(path)/\(name)")))
    }

    func write(_ bytes: [UInt8], _ name: String) throws {
        try Data(bytes).write(to: URL(fileURLWithPath: "\(path)/\(name)"))
    }

    func remove(_ name: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(name)")
    }

    /// Takes a name, so that no file can be made under it.
    func block(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: "\(path)/\(name)", withIntermediateDirectories: false)
    }

    /// Notes a record as the one that was synced last.
    func mark(_ line: [UInt8], _ sequence: UInt64) throws {
        try write(Array("\(AuditHead(sequence: sequence, hash: RecordHash.of(line)))\n".utf8), "mark")
    }

    /// Makes a pipe that nobody writes to.
    func makePipe(_ name: String) throws {
        // Safe: the path is a string whose terminated copy lives as long as the call.
        guard unsafe mkfifo("\(path)/\(name)", 0o600) == 0 else { throw POSIXError(.EIO) }
    }

    func permissions(_ name: String) throws -> Int {
        let attributes = try FileManager.default.attributesOfItem(atPath: "\(path)/\(name)")
        return (attributes[.posixPermissions] as? Int) ?? -1
    }

    /// The lines of every segment, in order, without their line feeds.
    func lines() throws -> [[UInt8]] {
        try names("audit-").flatMap { try read($0).split(separator: UInt8(ascii: "\n")).map { Array($0) } }
    }
}
