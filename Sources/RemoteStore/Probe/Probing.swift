import NIOCore
import Primitives

/// A run of the probe: what it found so far, and what it has to remove.
struct Probing {
    let probe: BackendProbe
    let calls: ProbeCalls
    /// Before every key that it writes, with a slash at its end.
    let folder: String
    var findings: [ProbeFinding] = []
    var abilities = BackendAbilities()
    /// What came of the first request.
    var first: Result<RemoteAnswer, RemoteFault>?
    var leftovers = Leftovers()
    /// Whether what is deleted was seen to stay as a version, or to leave a mark.
    var leavesVersions = false
    /// Why nothing more is measured.
    private var end: String?

    /// What may lie in the bucket by now, and is removed at the end.
    struct Leftovers {
        /// In the order in which they were used; each once.
        var keys: [String] = []
        var uploads: [(key: String, id: String)] = []
    }

    init(_ probe: BackendProbe, _ client: RemoteClient) {
        self.probe = probe
        let environment = probe.environment
        folder = ObjectNames(prefix: probe.endpoint.prefix).probeFolder(Hex.encode(environment.randomBytes(8)))
        calls = ProbeCalls(
            client: client, environment: environment,
            deadline: environment.monotonicNanoseconds() + BackendProbe.measuringLimit.wholeNanoseconds)
    }

    mutating func run() async {
        for ability in Ability.allCases { await measure(ability) }
    }

    private mutating func measure(_ ability: Ability) async {
        var outcome: ProbeOutcome
        var law = ability.law
        if let end, ability != .removal, ability != .durabilityHint {
            outcome = .unknown(end)
        } else {
            do throws(ProbeStop) {
                outcome = try await self.outcome(of: ability)
            } catch {
                if case .fault(let fault) = error, fault.isCancelled {
                    end = "It was not measured, since the probe was cancelled."
                }
                // What was meant to measure something else showed bytes that are not right.
                if case .refused = error { law = law ?? Ability.readAfterWrite.law }
                outcome = error.outcome(isRequired: ability.isRequired)
            }
        }
        if outcome.verdict == .refused {
            if ability.endsProbe {
                end = end ?? "It was not measured, since the backend was refused for \(ability.rawValue)."
            }
            if let law { outcome = .refused("\(outcome.detail) This law of stores would not be kept: \(law).") }
        }
        findings.append(ProbeFinding(ability: ability, verdict: outcome.verdict, detail: outcome.detail))
    }

    private mutating func outcome(of ability: Ability) async throws(ProbeStop) -> ProbeOutcome {
        switch ability {
        case .reach: try await reach()
        case .tls: try await tls()
        case .clock: clock()
        case .credentials: try await credentials()
        case .bucket: bucket()
        case .versioning: try await versioning()
        case .objectLock: try await objectLock()
        case .lifecycle: try await lifecycle()
        case .missingKey: try await missingKey()
        case .readAfterWrite: try await readAfterWrite()
        case .wholeOrAbsent: try await wholeOrAbsent()
        case .rangeReads: try await rangeReads()
        case .overwrite: try await overwrite()
        case .delete: try await delete()
        case .listAfterWrite: try await listAfterWrite()
        case .listOrder: try await listOrder()
        case .listPage: try await listPage()
        case .multipart: try await multipart()
        case .conditionalPut: try await conditionalPut()
        case .checksumEcho: try await checksumEcho()
        case .payloadHash: try await payloadHash()
        case .eTag: try await eTag()
        case .latency: try await latency()
        case .throughput: try await throughput()
        case .durabilityHint: durabilityHint()
        case .removal: await removal()
        }
    }

    /// A key to write to; what lies there at the end is removed.
    mutating func key(_ name: String) -> String {
        let key = folder + name
        if !leftovers.keys.contains(key) { leftovers.keys.append(key) }
        return key
    }

    /// Bytes that nobody can foresee, and whose places cannot be exchanged unseen.
    func bytes(_ count: Int) -> ByteBuffer {
        let block = probe.environment.randomBytes(min(count, 64 << 10))
        var buffer = ByteBuffer()
        buffer.reserveCapacity(count)
        while buffer.readableBytes < count {
            let start = buffer.writerIndex
            buffer.writeBytes(block.prefix(count - start))
            if start > 0, count - start >= 8 { buffer.setInteger(UInt64(start), at: start) }
        }
        return buffer
    }
}

extension Duration {
    /// Rounded down, never below zero.
    var wholeNanoseconds: UInt64 {
        let (seconds, attoseconds) = components
        return UInt64(clamping: seconds &* 1_000_000_000 &+ attoseconds / 1_000_000_000)
    }
}
