import Metadata
import Synchronization

/// Entries that were read lately, absent ones too, so that what is asked for often costs neither a thread nor a query.
///
/// It can be exact since one process alone has the file open and its one writer says which keys a group is about to
/// change (`begin`) before the group can be seen in the file, and when that has been decided (`end`). Between the two
/// nothing is known of these keys here, and whoever asks for them reads the file. What is here is therefore the state
/// after every commit that has returned, and what several keys give under one lock is one snapshot.
final class EntryCache: Sendable {
    private struct Kept {
        /// Nil where there is no entry under the key.
        let entry: Entry?

        /// About what it takes of memory.
        func size(_ key: Key) -> Int { key.count * 2 + (entry?.value.count ?? 0) + 160 }
    }

    private struct State {
        /// What was asked for since the last turn, and what was before: at a turn the older ones are forgotten.
        var young: [Key: Kept] = [:]
        var old: [Key: Kept] = [:]
        var youngBytes = 0
        /// The keys of the group that is being committed.
        var changing: Set<Key> = []
        /// How many groups were decided.
        var groups: UInt64 = 0
        var isClosed = false
    }

    private let state = Mutex(State())
    private let limit: Int

    /// - Parameter bytes: how much is kept, about.
    init(bytes: Int) {
        limit = bytes / 2
    }

    /// The entries of these keys, where all of them are known: otherwise nil.
    func values(of keys: [Key]) -> [Entry?]? {
        state.withLock { state in
            var entries: [Entry?] = []
            entries.reserveCapacity(keys.count)
            for key in keys {
                if let kept = state.young[key] {
                    entries.append(kept.entry)
                } else if let kept = state.old.removeValue(forKey: key) {
                    keep(kept, key, in: &state)
                    entries.append(kept.entry)
                } else {
                    return nil
                }
            }
            return entries
        }
    }

    /// The number of groups that were decided: to be asked for before a snapshot is begun that is to be remembered.
    var moment: UInt64 { state.withLock { $0.groups } }

    /// Remembers what a snapshot holds under some keys.
    ///
    /// - Parameter moment: from before the snapshot. Where a group was decided since, the snapshot may be older.
    func remember(_ entries: [Entry?], of keys: [Key], since moment: UInt64) {
        state.withLock { state in
            guard !state.isClosed, state.groups == moment else { return }
            for (key, entry) in zip(keys, entries) where !state.changing.contains(key) {
                keep(Kept(entry: entry), key, in: &state)
            }
        }
    }

    /// Forgets the keys that a group is about to change.
    func begin(_ keys: [Key]) {
        state.withLock { state in
            for key in keys {
                if let kept = state.young.removeValue(forKey: key) { state.youngBytes -= kept.size(key) }
                state.old[key] = nil
                state.changing.insert(key)
            }
        }
    }

    /// Notes that the group has been decided, and that what the file says is so.
    func end() {
        state.withLock { state in
            state.groups += 1
            state.changing.removeAll(keepingCapacity: true)
        }
    }

    /// Forgets everything, for good.
    func close() {
        state.withLock { state in
            (state.young, state.old, state.youngBytes) = ([:], [:], 0)
            state.isClosed = true
        }
    }

    private func keep(_ kept: Kept, _ key: Key, in state: inout State) {
        if let before = state.young.updateValue(kept, forKey: key) { state.youngBytes -= before.size(key) }
        state.youngBytes += kept.size(key)
        guard state.youngBytes > limit else { return }
        (state.old, state.young, state.youngBytes) = (state.young, [:], 0)
    }
}
