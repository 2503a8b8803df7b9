import DirectoryStore
import Primitives
import Storage
import TidegateTesting

/// The kinds of blob store that keep the laws. A new one adds a line.
enum Candidate {
    static let all: [BlobStoreCandidate] = [
        BlobStoreCandidate("memory") { try await $0(MemoryStore()) },
        BlobStoreCandidate("faulty, without a fault") {
            try await $0(FaultyStore(MemoryStore(), environment: SimulatedEnvironment()))
        },
        directory("directory", segmentBytes: 16 << 20),
        directory("directory with small segments", segmentBytes: 1 << 20),
    ]

    private static func directory(_ name: String, segmentBytes: Int64) -> BlobStoreCandidate {
        BlobStoreCandidate(name) { use in
            try await TemporaryDirectory.with { path in
                let store = try await DirectoryStore.open(
                    path, creating: true, environment: SystemEnvironment(), segmentBytes: segmentBytes)
                try await use(store)
                await store.close()
            }
        }
    }
}
