import Storage
import Testing
import TidegateTesting

@Suite("The laws of blob stores")
struct BlobStoreLawTests {
    @Test("hold for every store", arguments: Candidate.all, BlobStoreLaws.all)
    func laws(_ candidate: BlobStoreCandidate, _ law: BlobStoreLaw) async throws {
        try await candidate.withStore { store in try await law.check(store, seed: 1) }
    }
}
