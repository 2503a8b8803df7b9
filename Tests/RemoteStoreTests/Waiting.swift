import Primitives

/// Waits until a condition holds, for minutes at most: what the deadline bounds is a test that hangs, not how busy the
/// machine is.
func eventually(_ condition: () -> Bool) async throws -> Bool {
    let environment = SystemEnvironment()
    let deadline = environment.monotonicNanoseconds() + 180_000_000_000
    while !condition() {
        guard environment.monotonicNanoseconds() < deadline else { return false }
        try await environment.sleep(for: .milliseconds(2))
    }
    return true
}
