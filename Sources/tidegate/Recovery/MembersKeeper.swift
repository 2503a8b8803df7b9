import IndexBackup
import Logging
import Metadata
import Primitives
import Storage
import Synchronization
import Workers

/// Keeps a copy of what the index knows of the stores on each of them (`MembersCopy`).
struct MembersKeeper: Sendable {
    let deployment: Deployment

    /// How often it is looked whether a store lacks the newest one.
    private static let period = Duration.seconds(5)

    /// What is known of the copies on the stores, by position.
    private final class Given: Sendable {
        struct State {
            var entries: [Int: [Entry]] = [:]
            var busy: Set<Int> = []
            var counter: UInt64 = 0
        }

        let state = Mutex(State())

        /// Whether a store is to be looked at; it is busy from then on.
        func begin(_ position: Int, _ entries: [Entry]) -> Bool {
            state.withLock { $0.entries[position] != entries && $0.busy.insert(position).inserted }
        }

        func end(_ position: Int, _ entries: [Entry]?) {
            state.withLock { state in
                state.busy.remove(position)
                if let entries { state.entries[position] = entries }
            }
        }

        /// Another store may be there when one is there again.
        func forget(_ position: Int) { state.withLock { $0.entries[position] = nil } }

        func draw() -> UInt64 {
            state.withLock { state in
                state.counter += 1
                return state.counter
            }
        }
    }

    /// Runs until it is cancelled. A store that hangs holds up no other.
    func run() async {
        let given = Given()
        await withDiscardingTaskGroup { group in
            while !Task.isCancelled {
                await look(given, &group)
                do throws(CancellationError) {
                    try await deployment.environment.sleep(for: Self.period)
                } catch {
                    return group.cancelAll()
                }
            }
        }
    }

    private func look(_ given: Given, _ group: inout DiscardingTaskGroup) async {
        let copy: MembersCopy
        do throws(MetadataError) {
            copy = try await MembersCopy.read(deployment.index)
        } catch {
            return  // The next look asks again; that the index does not answer is told elsewhere.
        }
        let draining = deployment.keeper.draining
        for slot in deployment.keeper.slots where !slot.isGone && !draining.contains(slot.position) {
            guard let store = slot.store else {
                given.forget(slot.position)
                continue
            }
            guard given.begin(slot.position, copy.entries) else { continue }
            group.addTask {
                let isThere = await give(copy, to: store, slot.position, given.draw())
                given.end(slot.position, isThere ? copy.entries : nil)
            }
        }
    }

    /// - Returns: Whether the store has the copy now.
    private func give(_ copy: MembersCopy, to store: any BlobStore, _ position: Int, _ counter: UInt64) async -> Bool {
        do throws(StorageError) {
            if try await MembersCopy.newest(in: store)?.copy == copy { return true }
            let name = BlobName(
                kind: .control, epoch: deployment.session.workers, counter: counter,
                random: UInt32(truncatingIfNeeded: deployment.environment.random()))
            try await copy.write(to: store, as: name)
            return true
        } catch {
            deployment.logger.debug(
                "a store was not given what is known of the others; it is tried again",
                metadata: ["store": .count(position), "reason": "\(error)"])
            return false
        }
    }
}
