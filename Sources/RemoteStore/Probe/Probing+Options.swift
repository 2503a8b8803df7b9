import Cryptography
import NIOCore
import Primitives
import Signing

/// What a backend may have beyond what stores rely on.
extension Probing {
    private static let smallBytes = 1000

    mutating func conditionalPut() async throws(ProbeStop) -> ProbeOutcome {
        abilities.conditionalPut = false
        let key = key("condition/once")
        let (first, second) = (bytes(Self.smallBytes), bytes(Self.smallBytes))
        guard case .success = try await putOnce(calls, key, first) else {
            return .limited("It takes no PUT with If-None-Match. Nothing depends on it.")
        }
        switch try await putOnce(calls, key, second) {
        case .success: return .limited("It overwrites an object in spite of If-None-Match. Nothing depends on it.")
        case .failure(let fault):
            guard case .refused(let answer) = fault.kind, answer.status == 412 else {
                return .limited("It answers a PUT that If-None-Match forbids otherwise than with 412: \(fault).")
            }
        }
        try await calls.expect(key, first, "An object that a refused PUT met")
        guard try await oneOfTwoWins() else {
            return .limited(
                "Of two PUTs with If-None-Match at once, not exactly one was taken. Nothing depends on it.")
        }
        abilities.conditionalPut = true
        return .good("If-None-Match keeps an object from being overwritten, and of two PUTs at once lets one through.")
    }

    /// Whether of two that create an object at once one alone does, each of three times, and the object is its.
    private mutating func oneOfTwoWins() async throws(ProbeStop) -> Bool {
        for attempt in 1...3 {
            let key = key("condition/race-\(attempt)")
            let (left, right) = (bytes(Self.smallBytes), bytes(Self.smallBytes))
            let calls = calls
            async let one = putOnce(calls, key, left)
            async let other = putOnce(calls, key, right)
            let results: [Result<RemoteAnswer, RemoteFault>]
            do {
                results = [try await one, try await other]
            } catch {
                throw error as? ProbeStop ?? .outOfTime
            }
            let winners = zip(results, [left, right]).filter { result, _ in
                if case .success = result { true } else { false }
            }
            guard winners.count == 1, try await calls.object(key, limit: Self.smallBytes) == winners[0].1 else {
                return false
            }
        }
        return true
    }

    mutating func checksumEcho() async throws(ProbeStop) -> ProbeOutcome {
        abilities.checksumEcho = false
        let bytes = bytes(Self.smallBytes)
        let name = ChecksumAlgorithm.crc32c.headerName
        let right = Base64.encode(Digest.hash(.crc32c, bytes))
        guard case .success(let answer) = try await calls.result(of: .put(key("crc/right"), [name: right]), body: bytes)
        else { return .limited("It takes no PUT with a CRC-32C. Nothing depends on it.") }
        let wrong = Base64.encode(Digest.hash(.crc32c, self.bytes(Self.smallBytes)))
        if case .success = try await calls.result(of: .put(key("crc/wrong"), [name: wrong]), body: bytes) {
            return .limited("It takes bytes with a CRC-32C that is not theirs. Nothing depends on it.")
        }
        guard let echo = answer.head.fields[name], echo.utf8.elementsEqual(right.utf8) else {
            return .limited("It checks the CRC-32C of what it is sent, but does not repeat it.")
        }
        abilities.checksumEcho = true
        return .good("It checks the CRC-32C of what it is sent, and repeats it.")
    }

    mutating func payloadHash() async throws(ProbeStop) -> ProbeOutcome {
        let key = key("hash/wrong")
        let (sent, signed) = (bytes(Self.smallBytes), bytes(Self.smallBytes))
        guard calls.isInTime else { throw .outOfTime }
        let call = RemoteCall.put(key)
        do throws(RemoteFault) {
            let digest = Digest.hash(.sha256, signed)
            let transfer = try calls.client.begin(
                call, length: Int64(sent.readableBytes), payload: .sha256(digest))
            _ = await transfer.send(sent)
            transfer.finishSending()
            _ = try await calls.client.answer(to: call, on: transfer, limit: ErrorAnswer.byteLimit)
        } catch {
            guard case .refused = error.kind else { throw .fault(error) }
            try await calls.expectNothing(key, limit: Self.smallBytes, "An object whose PUT was refused")
            abilities.payloadHash = true
            return .good("It refuses bytes whose SHA-256 is not the one that was signed.")
        }
        abilities.payloadHash = false
        return probe.endpoint.isEncrypted
            ? .good("It does not compare the SHA-256 that is signed with the bytes; TLS protects them.")
            : .limited(
                "It does not compare the SHA-256 that is signed with the bytes: over plain HTTP, bytes that are "
                    + "damaged on the way are kept, and found to be damaged only when they are read.")
    }

    mutating func eTag() async throws(ProbeStop) -> ProbeOutcome {
        let bytes = bytes(Self.smallBytes)
        let answer = try await calls.put(key("etag"), bytes)
        guard let eTag = answer.head.fields["etag"], !eTag.isEmpty else {
            abilities.eTag = .absent
            return .good("A PUT is answered without an ETag. Nothing depends on it.")
        }
        let text = eTag.utf8.filter { $0 != UInt8(ascii: "\"") }
        abilities.eTag = text.elementsEqual(Hex.encode(Digest.hash(.md5, bytes)).utf8) ? .md5 : .other
        return .good(
            abilities.eTag == .md5
                ? "The ETag of an object is the MD5 of its bytes. Nothing depends on it."
                : "The ETag of an object is not the MD5 of its bytes. Nothing depends on it.")
    }
}

/// Creates an object unless there is one. It is not made again where it may have succeeded: it would refuse itself.
private func putOnce(
    _ calls: ProbeCalls, _ key: String, _ bytes: ByteBuffer
) async throws(ProbeStop) -> Result<RemoteAnswer, RemoteFault> {
    var call = RemoteCall.put(key, ["if-none-match": "*"])
    call.isRepeatable = false
    let result = try await calls.result(of: call, body: bytes)
    if case .failure(let fault) = result {
        guard case .refused = fault.kind else { throw .fault(fault) }
    }
    return result
}
