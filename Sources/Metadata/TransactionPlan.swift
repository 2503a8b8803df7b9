/// What a transaction comes to against one state of an index, decided before anything is written.
///
/// Both indexes decide with this one function, so they cannot differ in what a condition or a counter means.
package enum TransactionPlan: Sendable {
    /// Every condition holds: the last effect on each key touched, in the order in which the keys were first touched.
    case apply([Effect])
    /// A condition does not hold, or the transaction is malformed.
    case refuse(MetadataError)

    /// What becomes of one key: its new value, or nil where its entry goes.
    package struct Effect: Sendable, Hashable {
        package let key: Key
        package var value: [UInt8]?
    }

    /// Decides a transaction.
    ///
    /// - Parameters:
    ///   - read: gives the entry under a key, in the state to decide against.
    ///   - isEmpty: tells whether a range holds no entry, in that state.
    /// - Throws: what `read` and `isEmpty` throw.
    package static func decide<Failure: Error>(
        _ transaction: Transaction, read: (Key) throws(Failure) -> Entry?,
        isEmpty: (Range<KeyBound>) throws(Failure) -> Bool
    ) throws(Failure) -> TransactionPlan {
        for (position, condition) in transaction.conditions.enumerated() {
            let holds =
                switch condition {
                case .absent(let key): try read(key) == nil
                case .present(let key): try read(key) != nil
                case .version(let key, let version): try read(key)?.version == version
                case .absentOrEmpty(let key): try read(key)?.value.isEmpty ?? true
                case .rangeEmpty(let range): if range.isEmpty { true } else { try isEmpty(range) }
                }
            guard holds else { return .refuse(.conflict(condition: position)) }
        }
        return try effects(of: transaction.mutations, read: read)
    }

    /// What mutations come to, without conditions: also how a journal is replayed.
    package static func effects<Failure: Error>(
        of mutations: [Mutation], read: (Key) throws(Failure) -> Entry?
    ) throws(Failure) -> TransactionPlan {
        var effects: [Effect] = []
        effects.reserveCapacity(mutations.count)
        var positions: [Key: Int] = [:]
        func value(_ key: Key) throws(Failure) -> [UInt8]? {
            if let position = positions[key] { effects[position].value } else { try read(key)?.value }
        }
        func record(_ key: Key, _ value: [UInt8]?) {
            if mutations.count == 1 {
                effects.append(Effect(key: key, value: value))
            } else if let position = positions[key] {
                effects[position].value = value
            } else {
                positions[key] = effects.count
                effects.append(Effect(key: key, value: value))
            }
        }
        for mutation in mutations {
            switch mutation {
            case .put(let key, let value): record(key, value)
            case .create(let key, let new): if try value(key) == nil { record(key, new) }
            case .remove(let key): record(key, nil)
            case .add(let key, let difference):
                guard let count = try value(key).map(Counter.decode) ?? 0 else {
                    return .refuse(.notCommitted("an entry that is to be added to holds no counter"))
                }
                let (sum, overflow) = count.addingReportingOverflow(difference)
                guard !overflow else { return .refuse(.notCommitted("a counter would overflow")) }
                record(key, Counter.encode(sum))
            }
        }
        return .apply(effects)
    }
}
