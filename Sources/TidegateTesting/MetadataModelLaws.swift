package import Metadata
internal import Synchronization

extension MetadataIndexLaws {
    /// Random histories against the model. Another seed is another law: `model(seed:steps:)`.
    static let models: [MetadataIndexLaw] = (1...6).map { model(seed: $0, steps: 250) }

    /// A random history, each step of which an index and the model must answer alike.
    package static func model(seed: UInt64, steps: Int) -> MetadataIndexLaw {
        MetadataIndexLaw("behaves as the model does, seed \(seed)") { index in
            let random = LawRandom(seed: seed)
            let ids = TransactionIDs(epoch: 1)
            var model = MetadataModel()
            for step in 0..<steps {
                switch random.below(10) {
                case 0..<6:
                    let transaction = Transaction(
                        id: ids.next(), conditions: random.conditions(of: model), mutations: random.mutations())
                    try await compareCommit(transaction, index, &model, step)
                case 6:
                    let keys = (0..<random.below(6)).map { _ in random.key() }
                    try expect(
                        try await index.values(of: keys), is: keys.map { model.entries[$0] }, "values at step \(step)")
                default:
                    let scan = random.scan()
                    try expect(try await index.scan(scan), is: model.page(scan), "\(scan) at step \(step)")
                }
            }
            let all = try await index.scan(Scan(.everything, limit: 10_000))
            try expect(all.entries, is: model.sorted, "everything at the end")
        }
    }

    private static func compareCommit(
        _ transaction: Transaction, _ index: any MetadataIndex, _ model: inout MetadataModel, _ step: Int
    ) async throws(LawViolation) {
        let refusal = model.refusal(of: transaction)
        do throws(MetadataError) {
            let version = try await index.commit(transaction)
            guard refusal == nil, model.apply(transaction.mutations, version: version) else {
                throw MetadataError.unknown("applied what the model refuses: \(transaction)")
            }
        } catch {
            switch (error, refusal) {
            case (.conflict(let seen), .conflict(let expected)) where seen == expected: break
            case (.notCommitted, .notCommitted): break
            default:
                throw LawViolation("step \(step): threw \(error), expected \(String(describing: refusal))")
            }
        }
    }
}

/// Random keys, conditions, mutations and scans from a small space, so that they meet: the same for the same seed.
package final class LawRandom: Sendable {
    private let generator: Mutex<SeededGenerator>

    package init(seed: UInt64) {
        generator = Mutex(SeededGenerator(seed: seed))
    }

    /// The next word.
    package func next() -> UInt64 { generator.withLock { $0.next() } }

    /// A number from 0 and below a bound.
    package func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }

    /// Up to six bytes of an alphabet with the delimiter, the least and the greatest byte.
    package func key() -> Key {
        let alphabet: [UInt8] = [0x00, 0x2F, 0x2F, 0x61, 0x62, 0xFE]
        return (0..<below(7)).map { _ in alphabet[below(alphabet.count)] }
    }

    func range() -> Range<KeyBound> {
        switch below(4) {
        case 0: .prefix(key())
        case 1: .everything
        default: .keys(from: key(), below: key())
        }
    }

    func conditions(of model: MetadataModel) -> [Condition] {
        (0..<below(3)).map { _ in
            let key = key()
            return switch below(7) {
            case 0: .absent(key)
            case 1: .present(key)
            case 2: .rangeEmpty(range())
            case 3: .version(key, 1 + next() % 20)
            case 4: .absentOrEmpty(key)
            // Mostly conditions that hold, or nothing would ever be committed.
            default: model.entries[key].map { .version(key, $0.version) } ?? .absent(key)
            }
        }
    }

    package func mutations() -> [Mutation] {
        (0..<below(6)).map { _ in
            switch below(6) {
            case 0: .remove(key())
            case 1: .add(bytes("n\(below(4))"), Int64(below(200)) - 100)
            case 2: .create(key(), value())
            default: .put(key(), value())
            }
        }
    }

    /// A value, of which one in ten is empty.
    private func value() -> [UInt8] { (0..<(below(10) == 0 ? 0 : below(40))).map { _ in UInt8(below(256)) } }

    func scan() -> Scan {
        let delimiters: [[UInt8]] = [[0x2F], [0x2F], [0x2F, 0x2F], [0x61], []]
        let terminators: [[UInt8]] = [[], [], [0x62], [0x00, 0x61]]
        let groups = below(2) == 0
        let grouping = Scan.Grouping(
            prefixLength: below(4), delimiter: delimiters[below(delimiters.count)],
            terminator: terminators[below(terminators.count)])
        return Scan(
            range(), limit: below(12), grouping: groups ? grouping : nil, reversed: !groups && below(2) == 0,
            wantsValues: below(3) > 0)
    }
}
