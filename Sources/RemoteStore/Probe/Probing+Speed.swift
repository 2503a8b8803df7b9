import NIOCore
import Primitives

/// How fast a backend is, and what it is known for.
extension Probing {
    private static let samples = 20
    private static let sampleBytes = 1024

    mutating func latency() async throws(ProbeStop) -> ProbeOutcome {
        var (puts, gets): ([UInt64], [UInt64]) = ([], [])
        for index in 0..<Self.samples {
            let (key, bytes) = (key("speed/\(index)"), bytes(Self.sampleBytes))
            let start = now
            try await calls.put(key, bytes)
            let middle = now
            try await calls.expect(key, bytes, "An object that was just written")
            puts.append(middle - start)
            gets.append(now - middle)
        }
        let (put, get) = (Self.latency(of: puts), Self.latency(of: gets))
        (abilities.putLatency, abilities.getLatency) = (put, get)
        return .good(
            "A PUT of 1 KiB takes \(Self.text(put.median)) (the slowest of \(Self.samples): \(Self.text(put.p99))), a "
                + "GET \(Self.text(get.median)) (\(Self.text(get.p99))).")
    }

    mutating func throughput() async throws(ProbeStop) -> ProbeOutcome {
        let (key, bytes) = (key("speed/long"), bytes(probe.sizes.long))
        let start = now
        try await calls.put(key, bytes)
        let middle = now
        try await calls.expect(key, bytes, "An object that was just written")
        let end = now
        abilities.putBytesPerSecond = rate(middle - start)
        abilities.getBytesPerSecond = rate(end - middle)
        let texts = [abilities.putBytesPerSecond, abilities.getBytesPerSecond].map { rate in
            rate.map { "\($0 >> 20) MiB/s" } ?? "too fast to be measured"
        }
        return .good("A PUT of \(probe.sizes.long) bytes: \(texts[0]); a GET: \(texts[1]).")
    }

    /// Servers that are known to answer before what they were sent is on a disk.
    ///
    /// SeaweedFS syncs only what is written with `fsync=true`, which its S3 server does not do by default
    /// (<https://github.com/seaweedfs/seaweedfs/issues/11424>); rclone's server answers when its cache has the bytes
    /// (<https://rclone.org/commands/rclone_serve_s3/>).
    func durabilityHint() -> ProbeOutcome {
        let name = abilities.server ?? ""
        let known = ["seaweedfs", "rclone"]
        let lowered = name.lowercased()
        guard known.contains(where: { lowered.utf8.starts(with: $0.utf8) }) else {
            return .unknown(
                "No answer of S3 says whether bytes were synced before it, and the server ("
                    + (name.isEmpty ? "without a name" : name)
                    + ") is none of those that are known not to. Declare it as durable only where its operator knows "
                    + "so.")
        }
        return .limited(
            "This server (\(name)) answers before it syncs: what it took last may be gone after a power cut. Declare "
                + "it as buffered.")
    }

    private var now: UInt64 { calls.environment.monotonicNanoseconds() }

    private static func latency(of samples: [UInt64]) -> BackendAbilities.Latency {
        let sorted = samples.sorted()
        let p99 = (sorted.count * 99 + 99) / 100 - 1
        return BackendAbilities.Latency(
            median: .nanoseconds(sorted[(sorted.count - 1) / 2]), p99: .nanoseconds(sorted[p99]))
    }

    /// Nil where the clock did not move.
    private func rate(_ nanoseconds: UInt64) -> Int64? {
        guard nanoseconds > 0 else { return nil }
        return Int64(clamping: UInt64(probe.sizes.long) * 1_000_000_000 / nanoseconds)
    }

    /// `12.3 ms`
    private static func text(_ duration: Duration) -> String {
        let tenths = duration.wholeNanoseconds / 100_000
        return "\(tenths / 10).\(tenths % 10) ms"
    }
}
