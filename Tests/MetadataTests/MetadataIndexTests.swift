import Metadata
import Testing
import TidegateTesting

/// An index that the laws are checked on.
struct IndexCandidate: Sendable, CustomStringConvertible {
    let description: String
    /// Makes an empty index, passes it to the check, and clears up behind it.
    let withIndex: @Sendable (_ check: (any RestorableIndex) async throws -> Void) async throws -> Void

    static let all: [IndexCandidate] = [
        IndexCandidate(description: "MemoryIndex") { check in try await check(MemoryIndex()) }
    ]
}

@Suite struct MetadataIndexTests {
    @Test(arguments: IndexCandidate.all, MetadataIndexLaws.all)
    func keepsLaw(_ candidate: IndexCandidate, _ law: MetadataIndexLaw) async throws {
        try await candidate.withIndex { index in try await law.check(index) }
    }
}
