import Primitives

/// How often, and after which pauses, a request is made again.
package struct RetryPolicy: Sendable {
    /// Times that a request is made, the first included.
    package var attempts = 4
    /// The pause before the second attempt; it doubles for each later one.
    package var firstPause = Duration.milliseconds(100)
    /// The same where the backend asked for fewer requests.
    package var firstPauseOfThrottling = Duration.seconds(1)
    /// No pause is longer. Where the backend wants a longer one, the request fails instead.
    package var longestPause = Duration.seconds(8)

    package init() {}

    /// The pause before attempt `attempt`, from 2 on: between a half and all of what the doubling gives, so that those
    /// who failed together do not come back together. Nil where the backend wants to be left alone for longer.
    func pause(before attempt: Int, after fault: RemoteFault, random: UInt64) -> Duration? {
        var pause = firstPause
        if case .refused(let answer) = fault.kind {
            if answer.isThrottling { pause = firstPauseOfThrottling }
            if let wanted = answer.retryAfter {
                guard wanted <= longestPause else { return nil }
                pause = max(pause, wanted)
            }
        }
        pause = min(pause * (1 << min(max(attempt - 2, 0), 16)), longestPause)
        // 1,024 steps are fine enough to keep callers apart.
        return pause / 2 + pause / 2 * Int(random % 1025) / 1024
    }
}
