/// What a commit is to do, and on which conditions. A value: building one does nothing.
package struct Transaction: Sendable {
    package var id: TransactionID
    package var conditions: [Condition]
    package var mutations: [Mutation]

    package init(id: TransactionID, conditions: [Condition] = [], mutations: [Mutation] = []) {
        (self.id, self.conditions, self.mutations) = (id, conditions, mutations)
    }
}

/// What must hold at the commit.
package enum Condition: Sendable, Hashable {
    /// There is no entry under the key.
    case absent(Key)
    /// The entry under the key was last written by this commit.
    case version(Key, CommitVersion)
    /// There is an entry under the key, whatever it is.
    case present(Key)
    /// There is no entry under the key, or one with an empty value.
    case absentOrEmpty(Key)
    /// There is no entry in the half-open range of keys.
    case rangeEmpty(Range<KeyBound>)
}

/// A key as the bound of a range.
package struct KeyBound: Comparable, Hashable, Sendable {
    package var key: Key

    package init(_ key: Key) {
        self.key = key
    }

    package static func < (left: KeyBound, right: KeyBound) -> Bool { left.key.lexicographicallyPrecedes(right.key) }
}

extension Range where Bound == KeyBound {
    /// Every key that begins with the prefix.
    package static func prefix(_ prefix: Key) -> Range<KeyBound> {
        KeyBound(prefix)..<KeyBound(successor(ofPrefix: prefix))
    }
}

/// The least key that is greater than every key with this prefix.
package func successor(ofPrefix prefix: Key) -> Key {
    var end = prefix
    while let last = end.popLast() {
        if last < 0xFF {
            end.append(last + 1)
            return end
        }
    }
    // Only a prefix of 0xFF bytes alone has no successor; keys of ours never begin with 0xFF.
    return Key(repeating: 0xFF, count: 4097)
}

/// A change to one key. The mutations of a transaction are applied in their order.
package enum Mutation: Sendable, Hashable {
    case put(Key, [UInt8])
    /// Puts where there is no entry, and leaves the one that there is. Blind, so that several who make the same entry
    /// do not conflict, and none undoes what was done to it since.
    case create(Key, [UInt8])
    case remove(Key)
    /// Adds to a counter: the entry holds a big-endian Int64 and counts as 0 where absent. Blind, so that a usage
    /// counter is no hot row that writers conflict on.
    case add(Key, Int64)
}

/// A mutation that was applied, for whoever follows the index.
package struct Change: Sendable, Hashable {
    package var version: CommitVersion
    package var mutations: [Mutation]

    package init(version: CommitVersion, mutations: [Mutation]) {
        (self.version, self.mutations) = (version, mutations)
    }
}
