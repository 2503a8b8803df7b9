import Primitives
import Synchronization

/// The time that a backend's clock shows, as far as its answers tell: a backend whose clock is off refuses what is
/// signed by ours.
final class RemoteClock: Sendable {
    /// How far a backend's clock may be off for us to follow it. Whoever could make us sign for a later time would hold
    /// a request that counts then.
    static let bound = Duration.seconds(24 * 3600)

    /// Servers take what is signed for a time up to a quarter of an hour off theirs.
    private static let tolerance = Duration.seconds(300)

    private let environment: any Environment
    private let offset = Mutex(Duration.zero)

    init(_ environment: any Environment) {
        self.environment = environment
    }

    /// The time to sign with.
    func now() -> Timestamp { environment.now() + skew }

    /// By how much the backend's clock is ahead of ours, as it was measured last; zero where it never mattered.
    var skew: Duration { offset.withLock { $0 } }

    /// Whether a time that a backend told is so far from the one that is signed with that it may have refused for that.
    func isFar(from time: Timestamp) -> Bool {
        let distance = time - now()
        return distance > Self.tolerance || distance < .zero - Self.tolerance
    }

    /// Follows the time that a backend told. False where it is too far off.
    func follow(_ time: Timestamp) -> Bool {
        let measured = time - environment.now()
        guard measured <= Self.bound, measured >= .zero - Self.bound else { return false }
        offset.withLock { $0 = measured }
        return true
    }
}
