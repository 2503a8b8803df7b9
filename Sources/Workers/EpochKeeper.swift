package import Metadata
package import Primitives

/// Draws the writer epochs of this process, and ends those of processes before it.
package struct EpochKeeper: Sendable {
    /// Epochs that may be live at once.
    static let mostEpochs = 10_000
    /// Commits that are tried where others draw epochs at the same time.
    private static let tries = 16

    private let index: any MetadataIndex
    private let environment: any Environment
    private let node: String

    /// - Parameter node: The name of this gateway.
    package init(index: any MetadataIndex, environment: any Environment, node: String) {
        (self.index, self.environment, self.node) = (index, environment, node)
    }

    /// Draws two epochs, greater than any that the index or a store has seen, and makes the deployment's record where
    /// there is none; all in one commit.
    ///
    /// - Parameters:
    ///   - endsOthers: Whether every other epoch ends with the same commit. So it is where the caller holds the index
    ///     alone: the other writers are gone, and what they left in the outbox and on the stores may be taken over.
    ///   - floor: The greatest epoch that is known from elsewhere, such as the names of blobs on the stores of a
    ///     deployment whose index was recovered.
    ///   - deployment: The id that the stores carry, for an index that has none: 16 bytes.
    ///   - isRecovered: Whether the index was brought back from copies. What its last commits named is nobody's garbage
    ///     then: the blobs of every earlier epoch are kept until an operator gives them up (`RecoveredRecord`).
    /// - Throws: `refused` where the index belongs to another deployment than `deployment`, or the epochs are used up.
    package func begin(
        endsOthers: Bool = true, above floor: UInt32 = 0, deployment: [UInt8]? = nil, isRecovered: Bool = false
    ) async throws(WorkerError) -> WriterSession {
        for _ in 0..<Self.tries {
            do throws(WorkerError) {
                return try await tryToBegin(endsOthers, floor, deployment, isRecovered)
            } catch .index(.conflict), .fenced {
                continue  // Another process drew epochs in between: these are read again.
            }
        }
        throw .refused("other processes keep drawing writer epochs")
    }

    private func tryToBegin(
        _ endsOthers: Bool, _ floor: UInt32, _ proposed: [UInt8]?, _ isRecovered: Bool
    ) async throws(WorkerError) -> WriterSession {
        let known = try await index.answered { index throws(MetadataError) in
            try await index.values(of: [Keys.nextEpoch, Keys.deployment])
        }
        let now = environment.now()
        let deployment = try deployment(known[1], proposed, now: now)
        let others = try await index.liveEpochs().sorted()
        let counted = known[0].map { Keys.number($0.value) } ?? 0
        let seen = max(try await greatestSeen(), UInt64(others.last ?? 0), UInt64(floor))
        let first = max(counted, seen + 1)
        guard first + 2 <= UInt64(UInt32.max) else { throw .refused("the writer epochs are used up") }
        var session = WriterSession(
            deployment: deployment, gateway: UInt32(first), workers: UInt32(first + 1),
            ended: endsOthers ? others : [], unknown: counted, begun: 0)
        let row = EpochRecord(node: node, started: now, nonce: environment.random()).encoded
        var mutations: [Mutation] = session.ended.map { .remove(Keys.epoch($0)) }
        mutations += [.put(Keys.epoch(session.gateway), row), .put(Keys.epoch(session.workers), row)]
        mutations.append(.put(Keys.nextEpoch, Keys.bigEndian(first + 2)))
        if known[1] == nil { mutations.append(.put(Keys.deployment, deployment.encoded)) }
        if isRecovered {
            let recovered = RecoveredRecord(noticed: now, keptBelow: first)
            mutations.append(.put(Keys.recovered, recovered.encoded))
        }
        let conditions: [Condition] = [
            .unchanged(Keys.nextEpoch, from: known[0]), .unchanged(Keys.deployment, from: known[1]),
        ]
        // Counter 0 of the workers' epoch is nobody else's.
        let id = TransactionID(epoch: session.workers, counter: 0)
        session.begun = try await index.resolvedCommit(
            Transaction(id: id, conditions: conditions, mutations: mutations))
        // Another process may have drawn the same epochs, and thus the same id, a moment before.
        let held = try await index.answered { index throws(MetadataError) in
            try await index.values(of: [Keys.epoch(session.gateway)])
        }[0]
        guard held?.value == row else { throw .index(.conflict(condition: 0)) }
        return session
    }

    private func deployment(
        _ entry: Entry?, _ proposed: [UInt8]?, now: Timestamp
    ) throws(WorkerError) -> DeploymentRecord {
        guard let entry else {
            guard let record = DeploymentRecord(id: proposed ?? environment.randomBytes(16), created: now) else {
                throw .refused("the id of a deployment has 16 bytes")
            }
            return record
        }
        let record: DeploymentRecord
        do throws(RecordError) {
            record = try DeploymentRecord(encoded: entry.value)
        } catch {
            throw .malformed(entry.key)
        }
        guard proposed == nil || proposed == record.id else {
            throw .refused("the index belongs to the deployment \(Hex.encode(record.id)), the stores to another one")
        }
        return record
    }

    /// The greatest epoch in the outbox and in the names of blobs.
    private func greatestSeen() async throws(WorkerError) -> UInt64 {
        var greatest: UInt64 = 0
        if let key = try await last(Keys.outbox) { greatest = Keys.number(key.dropFirst().prefix(4)) }
        for letter: Unicode.Scalar in ["b", "d", "t"] {
            if let key = try await last(Keys.blobs(letter)), let name = Keys.blobName(key) {
                greatest = max(greatest, UInt64(name.epoch))
            }
        }
        return greatest
    }

    private func last(_ range: Range<KeyBound>) async throws(WorkerError) -> Key? {
        let scan = Scan(range, limit: 1, reversed: true, wantsValues: false)
        return try await index.answered { index throws(MetadataError) in try await index.scan(scan) }.entries.first?.key
    }
}

/// What a process holds while it runs.
package struct WriterSession: Sendable, Hashable {
    package var deployment: DeploymentRecord
    /// The epoch of the gateway's commits and blobs.
    package var gateway: UInt32
    /// The epoch of the workers' commits.
    package var workers: UInt32
    /// Epochs that this session ended.
    package var ended: [UInt32]
    /// The first epoch that the index had not drawn yet: where it was brought back from copies, the stores may hold
    /// blobs of it and of later ones all the same.
    package var unknown: UInt64
    /// The commit that drew the epochs.
    package var begun: CommitVersion
}

extension Keys {
    /// The next writer epoch to be drawn.
    package static let nextEpoch: Key = [0x05, UInt8(ascii: "n")]
}

extension Condition {
    /// What was read under a key must still be so.
    static func unchanged(_ key: Key, from entry: Entry?) -> Condition {
        entry.map { .version(key, $0.version) } ?? .absent(key)
    }
}
