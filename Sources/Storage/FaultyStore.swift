import NIOCore
package import Primitives
import Synchronization

/// A store whose calls go wrong as a plan says, or all of them until it is told otherwise.
package final class FaultyStore: BlobStore {
    private let base: any BlobStore
    private let environment: any Environment
    private let state: Mutex<State>

    /// - Parameter environment: Gives the time for `StoreFault.delay`.
    package init(_ base: any BlobStore, environment: any Environment, plan: FaultPlan = .none) {
        self.base = base
        self.environment = environment
        state = Mutex(State(plan: plan))
    }

    /// Whether calls reach the store at all; while false, each throws `unavailable`.
    package var isAvailable: Bool {
        get { state.withLock { $0.isAvailable } }
        set { state.withLock { $0.isAvailable = newValue } }
    }

    /// The calls made so far, refused ones included.
    package var calls: Int { state.withLock { $0.calls } }

    /// Replaces the plan and counts calls from one again.
    package func follow(_ plan: FaultPlan) {
        state.withLock { state in
            state.plan = plan
            state.calls = 0
        }
    }

    package func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        let effects = try await begin(.write, name)
        let receipt = try await base.write(name, body)
        try effects.end()
        return receipt
    }

    package func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        let effects = try await begin(.read, name)
        if effects.damagesReads {
            var damaging: any BodySink = DamagingSink(base: sink, flip: effects.flip, left: effects.truncation)
            do throws(StorageError) {
                try await base.read(name, range: range, into: &damaging)
            } catch {
                if let damaging = damaging as? DamagingSink { sink = damaging.base }
                throw error
            }
            if let damaging = damaging as? DamagingSink { sink = damaging.base }
        } else {
            try await base.read(name, range: range, into: &sink)
        }
        try effects.end()
    }

    package func delete(_ name: BlobName) async throws(StorageError) {
        let effects = try await begin(.delete, name)
        try await base.delete(name)
        try effects.end()
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        let effects = try await begin(.list, nil)
        let summaries = try await base.blobs(after: after, limit: limit)
        try effects.end()
        return summaries
    }

    /// Counts a call, waits and fails as planned, and returns what is to happen later in it.
    private func begin(
        _ operation: StoreCall.Operation, _ name: BlobName?
    ) async throws(StorageError) -> Effects {
        let (isAvailable, faults) = state.withLock { state in
            state.calls += 1
            return (
                state.isAvailable,
                state.plan.faults(StoreCall(operation: operation, name: name, ordinal: state.calls))
            )
        }
        guard isAvailable else { throw .unavailable("made unavailable") }
        var effects = Effects()
        for fault in faults {
            switch fault {
            case .failBefore(let error): throw error
            case .failAfter(let error): effects.failure = error
            case .truncate(let bytes): effects.truncation = bytes
            case .flipBit(let offset): effects.flip = offset
            case .delay(let duration):
                do {
                    try await environment.sleep(for: duration)
                } catch {
                    throw .unavailable("cancelled while delayed")
                }
            }
        }
        return effects
    }

    private struct State {
        var plan: FaultPlan
        var isAvailable = true
        var calls = 0
    }

    /// What is to go wrong after a call has begun.
    private struct Effects {
        var failure: StorageError?
        var truncation: Int64?
        var flip: Int64?

        var damagesReads: Bool { truncation != nil || flip != nil }

        func end() throws(StorageError) {
            if let failure { throw failure }
        }
    }
}

/// Passes bytes on, damaged as planned.
private struct DamagingSink: BodySink {
    var base: any BodySink
    /// The offset of the byte to flip, from the start of what is still to come.
    var flip: Int64?
    /// How many bytes may still pass; nil for all.
    var left: Int64?

    init(base: any BodySink, flip: Int64?, left: Int64?) {
        (self.base, self.flip, self.left) = (base, flip, left)
    }

    mutating func write(_ bytes: ByteBuffer) async throws(BodyError) {
        var bytes = bytes
        let count = Int64(bytes.readableBytes)
        if let offset = flip {
            let index = bytes.readerIndex + Int(clamping: offset)
            if offset >= 0, offset < count, let byte = bytes.getInteger(at: index, as: UInt8.self) {
                bytes.setInteger(byte ^ 1, at: index)
            }
            flip = offset - count
        }
        if let room = left {
            left = max(0, room - count)
            guard room > 0 else { return }
            bytes.moveWriterIndex(to: bytes.readerIndex + Int(min(count, room)))
        }
        try await base.write(bytes)
    }
}
