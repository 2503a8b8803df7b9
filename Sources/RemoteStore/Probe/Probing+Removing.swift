import NIOCore
import Primitives

/// What the probe leaves behind: nothing.
extension Probing {
    /// Keys of a page below the folder, at most: whoever lists more than was written is not obeyed.
    private static let listedLimit = 200
    /// Bytes of the longest key that S3 takes.
    private static let keyBytes = 1024

    mutating func removal() async -> ProbeOutcome {
        guard !leftovers.keys.isEmpty else { return .good("Nothing was written.") }
        let limit = BackendProbe.removalLimit.wholeNanoseconds
        let calls = ProbeCalls(
            client: calls.client, environment: calls.environment,
            deadline: calls.environment.monotonicNanoseconds() + limit)
        var remover = Remover(calls: calls)
        for upload in leftovers.uploads { await remover.remove(upload.key, .abort(upload.key, upload.id)) }
        for key in leftovers.keys { await remover.remove(key, .delete(key)) }
        // A second time, for what was there without our knowing.
        var left = await listed(calls)
        for key in left ?? [] { await remover.remove(key, .delete(key)) }
        if abilities.versioning != .off {
            for version in await versions(calls) {
                await remover.remove(version.key, .delete(version.key, version: version.id))
            }
        }
        if left?.isEmpty == false { left = await listed(calls) }
        let names = remover.failed + (left ?? []).filter { !remover.failed.contains($0) }
        guard names.isEmpty else {
            return .limited(
                "Of what the probe wrote, \(names.count) objects or uploads could not be removed. Remove what is below "
                    + "\(folder) in the bucket \(probe.endpoint.bucket) by hand.")
        }
        guard left != nil else {
            return .limited(
                "Everything that the probe wrote was deleted, but whether anything is left below \(folder) in the "
                    + "bucket \(probe.endpoint.bucket) could not be seen.")
        }
        return .good("Everything that the probe wrote was removed.")
    }

    /// What is listed below the folder; nil where that cannot be seen.
    private func listed(_ calls: ProbeCalls) async -> [String]? {
        var call = RemoteCall.listing(prefix: folder, after: [], token: nil, limit: Self.listedLimit)
        call.isShielded = true
        // Whatever the reason, it was not seen.
        guard let answer = try? await calls.perform(call, limit: ListingPage.byteLimit) else { return nil }
        // What cannot be read was not seen either.
        guard let entries = try? ListingPage.entries(answer.body) else { return nil }
        let ours = entries.prefix(Self.listedLimit).filter { isOurs($0.key) }
        return ours.map { String(decoding: $0.key, as: UTF8.self) }
    }

    private func versions(_ calls: ProbeCalls) async -> [BucketAnswers.Version] {
        var call = RemoteCall.versions(prefix: folder)
        call.isShielded = true
        // Few services have versions; what the probe left where it was seen to is told by `delete`.
        guard let answer = try? await calls.perform(call, limit: BucketAnswers.versionsLimit) else { return [] }
        let found = BucketAnswers.versions(answer.body) ?? []
        return found.prefix(Self.listedLimit).filter { isOurs(Array($0.key.utf8)) }
    }

    /// Whether a key that a backend names is one that we may remove.
    private func isOurs(_ key: [UInt8]) -> Bool { key.starts(with: folder.utf8) && key.count <= Self.keyBytes }
}

/// Removes what it is told to, and remembers what stays.
private struct Remover {
    let calls: ProbeCalls
    var failed: [String] = []

    mutating func remove(_ key: String, _ call: RemoteCall) async {
        var call = call
        // Also for a probe that was cancelled.
        call.isShielded = true
        do throws(ProbeStop) {
            if case .failure(let fault) = try await calls.result(of: call), !fault.isAboutNothing {
                throw .fault(fault)
            }
        } catch {
            if !failed.contains(key) { failed.append(key) }
        }
    }
}

extension RemoteFault {
    /// Whether it says that there is nothing to remove.
    fileprivate var isAboutNothing: Bool { isNotFound || hasCode("NoSuchUpload") || hasCode("NoSuchVersion") }
}

extension RemoteCall {
    static func abort(_ key: String, _ id: String) -> RemoteCall {
        RemoteCall(operation: "AbortMultipartUpload", method: "DELETE", key: key, query: [("uploadId", id)])
    }

    static func versions(prefix: String) -> RemoteCall {
        .bucket("ListObjectVersions", [("versions", ""), ("max-keys", "1000"), ("prefix", prefix)])
    }

    fileprivate static func delete(_ key: String, version: String) -> RemoteCall {
        RemoteCall(operation: "DeleteObjectVersion", method: "DELETE", key: key, query: [("versionId", version)])
    }
}
