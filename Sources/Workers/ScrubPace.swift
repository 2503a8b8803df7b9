import Primitives

/// How fast a scrub goes, and how soon it begins again, so that each shard is read within the time that is set for it.
///
/// Between two reads of one shard lie a pause and the length of a pass: at the beginning of the pass that one, at its
/// end the next one. Both are to fit into the time.
enum ScrubPace {
    /// The longest that a pass may take by its own plan: half of the time, so that one that is slower than planned may
    /// still be followed in time.
    static func longestPass(_ within: Duration) -> Duration { within / 2 }

    /// From the end of a pass to the beginning of the next: as is set, or less where the last pass took long.
    static func pause(_ settings: Scrubber.Settings, after last: ScrubPass?) -> Duration {
        guard let within = settings.within else { return settings.period }
        // A pass may take half as long again as the last one did.
        let room = within - (last?.duration ?? .zero) * 3 / 2
        return min(settings.period, max(room, .zero))
    }

    /// Bytes of shards to be read in a second: as is set, or more where the last pass read so many bytes that another
    /// one would take too long. There may be half as many again by now.
    static func bytesPerSecond(_ settings: Scrubber.Settings, after last: ScrubPass?) -> Int64? {
        guard let rate = settings.bytesPerSecond, let within = settings.within, let last else {
            return settings.bytesPerSecond
        }
        let seconds = max(1, longestPass(within).components.seconds)
        return max(rate, last.bytesRead / seconds * 3 / 2)
    }
}
