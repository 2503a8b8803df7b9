import NIOCore
import Primitives
import Synchronization
import TidegateTesting

/// What the simulated parts share: the scheduler, the clock, chance, and the lane of what outlives every process.
final class SimulatedHost: Sendable {
    let scheduler: SeededScheduler
    let environment: SimulatedEnvironment
    let lane: SeededScheduler.Lane
    private let generator: Mutex<SeededGenerator>

    init(seed: UInt64) {
        scheduler = SeededScheduler(seed: seed &* 3 &+ 1)
        environment = SimulatedEnvironment(seed: seed &* 3 &+ 2)
        generator = Mutex(SeededGenerator(seed: seed &* 3))
        lane = scheduler.lane()
    }

    /// Whether something of this likelihood happens now. What never happens costs no random number.
    func chance(_ likelihood: Double) -> Bool {
        guard likelihood > 0 else { return false }
        return generator.withLock { Double.random(in: 0..<1, using: &$0) < likelihood }
    }

    func number(_ range: ClosedRange<Int>) -> Int {
        generator.withLock { Int.random(in: range, using: &$0) }
    }

    func one<Element>(of elements: [Element]) -> Element { elements[number(0...(elements.count - 1))] }

    /// Waits for a while of simulated time.
    func delay(upTo longest: Duration) async {
        let most = Int(longest / .microseconds(1))
        await wait(.microseconds(number(0...max(0, most))))
    }

    func wait(_ duration: Duration) async {
        do {
            try await environment.sleep(for: duration)
        } catch {
            // Whoever was cancelled while it waited goes on at once, and notices where it looks for that.
            return
        }
    }

    /// A copy with one bit flipped, or with its end cut off.
    func damaged(_ bytes: ByteBuffer) -> ByteBuffer {
        var damaged = bytes
        guard damaged.readableBytes > 0 else { return ByteBuffer(bytes: [0]) }
        let at = damaged.readerIndex + number(0...(damaged.readableBytes - 1))
        if chance(0.3) {
            damaged.moveWriterIndex(to: at)
        } else if let byte = damaged.getInteger(at: at, as: UInt8.self) {
            damaged.setInteger(byte ^ (1 << UInt8(number(0...7))), at: at)
        }
        return damaged
    }

    /// Runs until something holds, or until nothing can ever happen any more.
    ///
    /// - Returns: Whether it holds.
    func run(until holds: () -> Bool, mostSteps: Int) -> Bool {
        for _ in 0..<mostSteps {
            if holds() { return true }
            guard scheduler.step() || environment.advanceToNextSleeper() else { return holds() }
        }
        return holds()
    }
}
