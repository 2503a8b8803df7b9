import Metadata
import Testing
import TidegateTesting

@Suite struct MetadataIndexTests {
    @Test(arguments: IndexCandidate.all, MetadataIndexLaws.all)
    func keepsLaw(_ candidate: IndexCandidate, _ law: MetadataIndexLaw) async throws {
        try await candidate.withIndex { index in try await law.check(index) }
    }
}
