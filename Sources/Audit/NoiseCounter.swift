import Primitives

/// Counts unauthenticated refusals once a source becomes noisy, so that an attacker cannot fill the log's disk.
///
/// The first refusals of a source in a window are recorded one by one; those beyond are counted and come out as one
/// summary when the window has ended. An address of version 6 counts for all of its network of 64 bits, since whoever
/// has one address of it has them all. Sources beyond a bound share one counter. A value: whoever owns it keeps it
/// behind a lock.
package struct NoiseCounter: Sendable {
    /// What to do with a refusal.
    package enum Verdict: Sendable, Hashable {
        case record
        case counted
    }

    /// What a window of a source came to, beyond the refusals that were recorded.
    package struct Summary: Sendable, Hashable {
        /// The address, or the network of one of version 6; nil for all the sources that had no counter of their own.
        package var source: String?
        package var count: UInt64
        /// How long the window was, in seconds.
        package var windowSeconds: UInt64
    }

    private struct Window {
        var end: UInt64
        var seen: UInt64 = 0
    }

    private let recordedPerWindow: UInt64
    private let windowNanoseconds: UInt64
    private let maximumSources: Int
    private var windows: [String: Window] = [:]
    private var others: Window?
    /// No window ends before this: until then a sweep would find nothing, so that a full table costs nothing to look
    /// through.
    private var earliestEnd: UInt64 = .max
    /// What came of windows that ended and were not fetched yet; never more sources than `maximumSources`.
    private var ended: [String: UInt64] = [:]
    private var endedOthers: UInt64 = 0

    package init(recordedPerWindow: Int = 16, windowSeconds: Int = 60, maximumSources: Int = 4096) {
        self.recordedPerWindow = UInt64(recordedPerWindow)
        windowNanoseconds = UInt64(windowSeconds) * 1_000_000_000
        self.maximumSources = maximumSources
    }

    /// Decides over one refusal, at a reading of a monotonic clock.
    package mutating func refusal(from address: String, at nanoseconds: UInt64) -> Verdict {
        let source = IPAddressRange(address)?.subscriberText ?? address
        sweep(at: nanoseconds)
        if windows[source] == nil, windows.count >= maximumSources {
            var window = others ?? open(at: nanoseconds)
            window.seen += 1
            others = window
            return window.seen <= recordedPerWindow ? .record : .counted
        }
        var window = windows[source] ?? open(at: nanoseconds)
        window.seen += 1
        windows[source] = window
        return window.seen <= recordedPerWindow ? .record : .counted
    }

    /// The summaries that are due, in the order of their sources: call it every so often.
    package mutating func summaries(at nanoseconds: UInt64) -> [Summary] {
        sweep(at: nanoseconds)
        return takeEnded()
    }

    /// Ends every window and gives what came of them, for when the log is closed.
    package mutating func finish() -> [Summary] {
        for (source, window) in windows { close(window, of: source) }
        if let others { close(others, of: nil) }
        (windows, others, earliestEnd) = ([:], nil, .max)
        return takeEnded()
    }

    private mutating func open(at nanoseconds: UInt64) -> Window {
        let end = nanoseconds &+ windowNanoseconds
        earliestEnd = min(earliestEnd, end)
        return Window(end: end)
    }

    private mutating func sweep(at nanoseconds: UInt64) {
        guard earliestEnd <= nanoseconds else { return }
        earliestEnd = .max
        for (source, window) in windows {
            if window.end <= nanoseconds {
                close(window, of: source)
                windows[source] = nil
            } else {
                earliestEnd = min(earliestEnd, window.end)
            }
        }
        guard let window = others else { return }
        if window.end <= nanoseconds {
            close(window, of: nil)
            others = nil
        } else {
            earliestEnd = min(earliestEnd, window.end)
        }
    }

    private mutating func close(_ window: Window, of source: String?) {
        guard window.seen > recordedPerWindow else { return }
        let count = window.seen - recordedPerWindow
        if let source, ended[source] != nil || ended.count < maximumSources {
            ended[source, default: 0] += count
        } else {
            endedOthers += count
        }
    }

    private mutating func takeEnded() -> [Summary] {
        let seconds = windowNanoseconds / 1_000_000_000
        var summaries = ended.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }
            .map { Summary(source: $0.key, count: $0.value, windowSeconds: seconds) }
        if endedOthers > 0 { summaries.append(Summary(source: nil, count: endedOthers, windowSeconds: seconds)) }
        (ended, endedOthers) = ([:], 0)
        return summaries
    }
}
