import Storage
import TidegateTesting

/// The kinds of blob store that keep the laws. A new one adds a line.
enum Candidate {
    static let all: [BlobStoreCandidate] = [
        BlobStoreCandidate("memory") { try await $0(MemoryStore()) },
        BlobStoreCandidate("faulty, without a fault") {
            try await $0(FaultyStore(MemoryStore(), environment: SimulatedEnvironment()))
        },
    ]
}
