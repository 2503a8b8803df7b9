import NIOCore
import Primitives
import Storage
import Synchronization
import TidegateTesting

/// A blob store as a disk or another service is: slow, refusing, forgetful of what it had not synced, and wrong.
///
/// What it has acknowledged it keeps over crashes. Only a store that is told to lose or damage its blobs does so.
final class SimulatedStore: BlobStore {
    /// How calls go wrong, each with a likelihood.
    struct Weather: Sendable {
        var isDown = false
        var failsBefore = 0.0
        var failsAfter = 0.0
        var isSlow = 0.0
        /// A write takes effect some time after it began to, whatever has become of its caller.
        var isLate = 0.0
        /// A write is acknowledged, and other bytes are kept.
        var lies = 0.0
        /// How long a slow call takes at most.
        var longestDelay: Duration = .milliseconds(600)

        static let fair = Weather()
    }

    private struct State {
        var blobs: [BlobName: ByteBuffer] = [:]
        /// Written, and gone if the host crashes now.
        var unsynced: Set<BlobName> = []
        /// Deleted, and back if the host crashes now.
        var undead: [BlobName: ByteBuffer] = [:]
        var identity: StoreIdentity?
        /// Crashes so far: a call that one of them met fails.
        var crashes = 0
        var weather = Weather.fair
        /// Blobs of which other bytes are kept than were acknowledged.
        var lies: Set<BlobName> = []
    }

    let number: Int
    private let world: SimulatedHost
    private let state: Mutex<State>

    init(_ number: Int, identity: StoreIdentity?, _ world: SimulatedHost) {
        (self.number, self.world) = (number, world)
        state = Mutex(State(identity: identity))
    }

    // MARK: What goes wrong

    func change(_ change: (inout Weather) -> Void) {
        state.withLock { change(&$0.weather) }
    }

    /// Answers again; what it keeps it may still keep wrong.
    func recover() {
        change { $0 = Weather(isSlow: $0.isSlow, lies: $0.lies) }
    }

    /// Loses what was not synced, each bit by its own chance.
    func crash() {
        state.withLock { state in
            state.crashes += 1
            for name in state.unsynced.sorted() where world.chance(0.5) { state.blobs[name] = nil }
            for (name, bytes) in state.undead.sorted(by: { $0.key < $1.key })
            where world.chance(0.5) && state.blobs[name] == nil { state.blobs[name] = bytes }
            (state.unsynced, state.undead) = ([], [:])
        }
    }

    /// Loses every blob of objects, as a disk that was replaced.
    func lose() {
        state.withLock { state in
            state.crashes += 1
            (state.blobs, state.unsynced, state.undead) = ([:], [], [:])
        }
    }

    /// Flips a bit, or cuts the end off, in some of the blobs of objects.
    func damage(share: Double) {
        state.withLock { state in
            for name in state.blobs.keys.sorted() where world.chance(share) {
                state.blobs[name] = world.damaged(state.blobs[name] ?? ByteBuffer())
            }
        }
    }

    /// Everything that is held, for the laws.
    var names: [BlobName] { state.withLock { $0.blobs.keys.sorted() } }

    /// Whether a write of the blob was acknowledged while other bytes were kept.
    func hasLied(about name: BlobName) -> Bool { state.withLock { $0.lies.contains(name) } }

    // MARK: Identity

    var identity: StoreIdentity? {
        get { state.withLock { $0.identity } }
        set { state.withLock { $0.identity = newValue } }
    }

    // MARK: The store

    func write(_ name: BlobName, _ body: consuming Body) async throws(StorageError) -> BlobReceipt {
        let call = try await begin()
        var bytes = ByteBuffer()
        while var buffer = try await body.nextOfSource() { bytes.writeBuffer(&buffer) }
        let length = Int64(bytes.readableBytes)
        if world.chance(call.weather.isLate) {
            let written = bytes
            _ = await world.lane.run { [self] in
                await world.delay(upTo: .seconds(2))
                keep(written, as: name)
            }
        }
        let kept = world.chance(call.weather.lies) ? world.damaged(bytes) : bytes
        let present = state.withLock { $0.blobs[name] }
        guard present == nil || present == bytes || present == kept else {
            throw .corrupt("the blob \(name) is there with other bytes")
        }
        if present == nil { keep(kept, as: name) }
        try await end(call)
        state.withLock { state in
            state.unsynced.remove(name)
            if state.blobs[name] != bytes { state.lies.insert(name) } else { state.lies.remove(name) }
        }
        return BlobReceipt(length: length)
    }

    private func keep(_ bytes: ByteBuffer, as name: BlobName) {
        state.withLock { state in
            guard state.blobs[name] == nil else { return }
            state.blobs[name] = bytes
            state.unsynced.insert(name)
        }
    }

    func read(_ name: BlobName, range: Range<Int64>, into sink: inout any BodySink) async throws(StorageError) {
        let call = try await begin()
        var offset = Int(range.lowerBound)
        while true {
            // Asked for again at each piece, so that a blob can go while it is read.
            guard let blob = state.withLock({ $0.blobs[name] }) else { throw .notFound }
            guard range.lowerBound >= 0, range.upperBound <= Int64(blob.readableBytes) else { throw .invalidRange }
            guard offset < Int(range.upperBound) else { break }
            let count = min(Self.pieceBytes, Int(range.upperBound) - offset)
            guard let piece = blob.getSlice(at: blob.readerIndex + offset, length: count) else { throw .invalidRange }
            do throws(BodyError) {
                try await sink.write(piece)
            } catch {
                throw .sink(error)
            }
            offset += count
            await world.scheduler.pause()
        }
        try await end(call)
    }

    func delete(_ name: BlobName) async throws(StorageError) {
        let call = try await begin()
        state.withLock { state in
            guard let bytes = state.blobs.removeValue(forKey: name) else { return }
            if state.unsynced.remove(name) == nil { state.undead[name] = bytes }
        }
        try await end(call)
        state.withLock { _ = $0.undead.removeValue(forKey: name) }
    }

    func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        let call = try await begin()
        let found = state.withLock { state in
            state.blobs.keys.filter { name in after.map { $0 < name } ?? true }.sorted().prefix(max(0, limit))
                .map { BlobSummary(name: $0, length: Int64(state.blobs[$0]?.readableBytes ?? 0)) }
        }
        try await end(call)
        return found
    }

    // MARK: Calls

    /// The most bytes that a sink is given at once: little, so that much can happen during a read.
    private static let pieceBytes = 2048

    private struct Call {
        var weather: Weather
        var crashes: Int
    }

    private func begin() async throws(StorageError) -> Call {
        var call = state.withLock { Call(weather: $0.weather, crashes: $0.crashes) }
        if world.chance(call.weather.isSlow) { await world.delay(upTo: call.weather.longestDelay) }
        await world.scheduler.pause()
        try check(call)
        // As it is by now: a call that was long under way does not fail of what was wrong before.
        call.weather = state.withLock { $0.weather }
        if world.chance(call.weather.failsBefore) { throw .unavailable("the simulation refuses") }
        return call
    }

    private func end(_ call: Call) async throws(StorageError) {
        await world.scheduler.pause()
        try check(call)
        let likelihood = state.withLock { $0.weather.failsAfter }
        if world.chance(likelihood) { throw .unavailable("the simulation lost the answer") }
    }

    private func check(_ call: Call) throws(StorageError) {
        let isLost = state.withLock { $0.weather.isDown || $0.crashes != call.crashes }
        if isLost { throw .unavailable("the simulation has the store down") }
    }
}
