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
        BlobStoreCandidate("directory") { use in
            try await TemporaryDirectory.with { path in
                let store = try await DirectoryStore.open(path, creating: true, environment: SystemEnvironment())
                try await use(store)
                await store.close()
            }
        },
    ]
}
