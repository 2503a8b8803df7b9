import Primitives
import Testing
import TidegateTesting

@Suite("Simulated environments")
struct SimulatedEnvironmentTests {
    @Test("wake sleepers when their time has come, and not before")
    func sleeping() async throws {
        let environment = SimulatedEnvironment()
        let start = environment.now()
        let sleeper = Task { try await environment.sleep(for: .milliseconds(10)) }
        while environment.sleepers == 0 { await Task.yield() }
        environment.advance(by: .milliseconds(9))
        #expect(environment.sleepers == 1)
        environment.setWallClock(Timestamp(seconds: 0))
        #expect(environment.sleepers == 1)
        environment.advance(by: .milliseconds(1))
        try await sleeper.value
        #expect(environment.monotonicNanoseconds() == 10_000_000)
        #expect(environment.now() < start)
    }

    @Test("end a sleep that is cancelled, before or after it began")
    func cancellation() async throws {
        let environment = SimulatedEnvironment()
        let sleeper = Task { try await environment.sleep(for: .seconds(1)) }
        while environment.sleepers == 0 { await Task.yield() }
        sleeper.cancel()
        await #expect(throws: CancellationError.self) { try await sleeper.value }
        let second = Task {
            while !Task.isCancelled { await Task.yield() }
            try await environment.sleep(for: .seconds(1))
        }
        second.cancel()
        await #expect(throws: CancellationError.self) { try await second.value }
        #expect(environment.sleepers == 0)
    }

    @Test("may skip over every sleep")
    func skipping() async throws {
        let environment = SimulatedEnvironment(sleeping: .skipping)
        try await environment.sleep(for: .seconds(3600))
        #expect(environment.monotonicNanoseconds() == 3_600_000_000_000)
    }

    @Test("draw the same numbers from the same seed, and others from another")
    func seeds() {
        let draws = [1, 1, 2].map { (seed: UInt64) in
            let environment = SimulatedEnvironment(seed: seed)
            return (0..<4).map { _ in environment.random() }
        }
        #expect(draws[0] == draws[1])
        #expect(draws[0] != draws[2])
        #expect(Set(draws[0]).count == 4)
    }
}
