import EmbeddedIndex
import Foundation
import Metadata

/// An index that the laws are checked on.
struct IndexCandidate: Sendable, CustomStringConvertible {
    let description: String
    /// Makes an empty index, passes it to the check, and clears up behind it.
    let withIndex: @Sendable (_ check: (any RestorableIndex) async throws -> Void) async throws -> Void

    static let all: [IndexCandidate] = [
        IndexCandidate(description: "MemoryIndex") { check in try await check(MemoryIndex()) },
        IndexCandidate(description: "EmbeddedIndex") { check in
            try await withTemporaryDirectory { directory in
                let index = try await EmbeddedIndex.open(path: directory + "/index")
                do { try await check(index) } catch {
                    await index.close()
                    throw error
                }
                await index.close()
            }
        },
    ]
}

/// Makes a directory, and removes it behind the body.
func withTemporaryDirectory(_ body: (String) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("tidegate-\(UUID().uuidString)").path
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    defer {
        // What is left in the system's temporary directory hurts nobody.
        try? FileManager.default.removeItem(atPath: directory)
    }
    try await body(directory)
}
