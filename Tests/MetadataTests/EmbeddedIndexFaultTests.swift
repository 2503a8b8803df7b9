import Metadata
import Testing
import TidegateTesting

@testable import EmbeddedIndex

/// The disk fails at the first, the second, … call, until a history runs through untouched.
@Suite(.serialized) struct EmbeddedIndexFaultTests {
    @Test(arguments: SQLiteFaults.Fault.allCases, [false, true])
    func whatReturnedIsThereAndWhatDidNotIsNot(_ fault: SQLiteFaults.Fault, _ persists: Bool) async throws {
        var options = EmbeddedIndex.Options()
        options.fileSystem = try SQLiteFaults.register()
        options.writerCacheKiB = 64
        options.checkpointPages = 40
        var (struck, call): (Int, Int32) = (0, 1)
        while true {
            let isStruck = try await run(options, fault, persists, call: call)
            if !isStruck { break }
            struck += 1
            call += call < 24 ? 1 : 7
        }
        #expect(struck > 24, "the history has calls to fail")
    }

    /// Returns whether the fault was met.
    private func run(
        _ options: EmbeddedIndex.Options, _ fault: SQLiteFaults.Fault, _ persists: Bool, call: Int32
    ) async throws -> Bool {
        var isStruck = false
        try await withTemporaryDirectory { directory in
            let path = directory + "/index"
            let index = try await EmbeddedIndex.open(path: path, options: options)
            SQLiteFaults.fail(call: call, fault, persists: persists)
            // After every commit: what the index may hold. A commit of unknown outcome forks it.
            var candidates = [MetadataModel()]
            let random = LawRandom(seed: UInt64(call))
            let ids = TransactionIDs(epoch: 1)
            var version: CommitVersion = 0
            for _ in 0..<30 {
                let mutations = random.mutations() + [.put(random.key(), [UInt8](repeating: 1, count: 3000))]
                let transaction = Transaction(id: ids.next(), mutations: mutations)
                do throws(MetadataError) {
                    let seen = try await index.commit(transaction)
                    #expect(seen == version + 1)
                    version = seen
                    for position in candidates.indices { _ = candidates[position].apply(mutations, version: seen) }
                } catch {
                    if candidates[0].refusal(of: transaction) != nil { continue }
                    isStruck = true
                    if case .unknown = error {
                        var forked = candidates[0]
                        _ = forked.apply(mutations, version: version + 1)
                        candidates.append(forked)
                        #expect(index.suspicion != nil)
                    }
                    if fault == .full, index.suspicion == nil { SQLiteFaults.stop() }
                }
            }
            if index.suspicion != nil {
                isStruck = true
                await #expect(throws: MetadataError.self) { _ = try await index.scan(Scan(.everything, limit: 1)) }
                await #expect(throws: MetadataError.self) { _ = try await index.outcome(of: ids.next()) }
                await #expect(throws: MetadataError.self) { _ = try await index.snapshot() }
            }
            SQLiteFaults.stop()
            await index.close()
            let survivor = try await EmbeddedIndex.open(path: path)
            let entries = try await survivor.scan(Scan(.everything, limit: 10_000)).entries
            #expect(candidates.contains { $0.sorted == entries }, "after call \(call)")
            await survivor.close()
        }
        return isStruck
    }
}
