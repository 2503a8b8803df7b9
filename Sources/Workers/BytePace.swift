import Primitives
import Synchronization

/// How many bytes workers read or write in a second, all together: what was moved is paid for with time before the next
/// piece of work begins.
final class BytePace: Sendable {
    /// The longest that one piece of work keeps the next one waiting: it is a pace, and no ban.
    private static let longest: Int64 = 86_400
    /// The longest sleep, so that who is cancelled is not kept waiting by a clock that does not go.
    private static let step = Duration.seconds(1)

    /// Nil for as many as the stores give or take.
    private let bytesPerSecond: Int64?
    private let environment: any Environment
    /// When everything is paid for that was moved so far, in nanoseconds of the monotonic clock.
    private let paid = Mutex<UInt64>(0)

    init(bytesPerSecond: Int64?, _ environment: any Environment) {
        (self.bytesPerSecond, self.environment) = (bytesPerSecond, environment)
    }

    /// Returns once what was moved before is paid for.
    func wait() async throws(WorkerError) {
        while true {
            let (paid, now) = (paid.withLock { $0 }, environment.monotonicNanoseconds())
            guard paid > now else { return }
            do throws(CancellationError) {
                try await environment.sleep(for: min(.nanoseconds(Int64(clamping: paid - now)), Self.step))
            } catch {
                throw .cancelled
            }
        }
    }

    /// Notes what was moved.
    func moved(_ bytes: Int64) {
        guard let bytesPerSecond, bytesPerSecond > 0, bytes > 0 else { return }
        let (seconds, rest) = bytes.quotientAndRemainder(dividingBy: bytesPerSecond)
        let nanoseconds = UInt64(Double(rest) / Double(bytesPerSecond) * 1e9)
        let cost = UInt64(min(seconds, Self.longest)) * 1_000_000_000 + nanoseconds
        let now = environment.monotonicNanoseconds()
        paid.withLock { $0 = max($0, now) + cost }
    }
}
