import NIOCore
import Primitives

/// What the probe leaves behind: nothing.
extension Probing {
    /// What is removed of what is listed, at most: whoever lists more than was written is not obeyed.
    private static let listedLimit = 400
    /// Bytes of the longest key that S3 takes.
    private static let keyBytes = 1024

    mutating func removal() async -> ProbeOutcome {
        guard !leftovers.keys.isEmpty else { return .good("Nothing was written.") }
        let limit = BackendProbe.removalLimit.wholeNanoseconds
        var remover = Remover(
            calls: ProbeCalls(
                client: calls.client, environment: calls.environment,
                deadline: calls.environment.monotonicNanoseconds() + limit))
        for upload in leftovers.uploads { await remover.remove(.abort(upload.key, upload.id)) }
        for key in leftovers.keys { await remover.remove(.delete(key)) }
        // A second time, for what was there without our knowing, and a look at what that came to.
        for call in await left(remover.calls) ?? [] { await remover.remove(call) }
        let left = await left(remover.calls)
        let place = "below \(folder) in the bucket \(probe.endpoint.bucket)"
        guard let left else {
            return .limited(
                remover.failures == 0
                    ? "Everything that the probe wrote was deleted, but whether anything is left \(place) could not be "
                        + "seen."
                    : "\(remover.failures) requests to remove what the probe wrote failed, and what is left \(place) "
                        + "could not be seen. Remove it by hand.")
        }
        guard left.isEmpty else {
            return .limited(
                "Of what the probe wrote, \(left.count) objects, versions or uploads could not be removed. Remove what "
                    + "is \(place) by hand.")
        }
        return .good("Everything that the probe wrote was removed.")
    }

    /// What removes what is still below the folder; nil where that cannot be seen. Uploads, which not every service
    /// lists, are taken not to be there where they are not seen.
    private func left(_ calls: ProbeCalls) async -> [RemoteCall]? {
        func answer(_ call: RemoteCall, _ limit: Int) async -> ByteBuffer? {
            var call = call
            call.isShielded = true
            // Whatever the reason, it was not seen.
            return try? await calls.perform(call, limit: limit).body
        }
        let listing = RemoteCall.listing(prefix: folder, after: [], token: nil, limit: Self.listedLimit)
        // What cannot be read was not seen either.
        guard let body = await answer(listing, ListingPage.byteLimit), let entries = try? ListingPage.entries(body)
        else { return nil }
        var found = entries.map { (key: $0.key, call: RemoteCall.delete(String(decoding: $0.key, as: UTF8.self))) }
        if let body = await answer(.uploads(prefix: folder, behind: nil), UploadPage.byteLimit) {
            let uploads = UploadPage(body)?.entries ?? []
            found += uploads.map { (Array($0.key.utf8), .abort($0.key, $0.id)) }
        }
        if leavesVersions || abilities.versioning == nil {
            let body = await answer(.versions(prefix: folder), BucketAnswers.versionsLimit)
            let versions = body.flatMap { BucketAnswers.versions($0) }
            guard versions != nil || !leavesVersions else { return nil }
            found += (versions ?? []).map { (Array($0.key.utf8), .delete($0.key, version: $0.id)) }
        }
        return found.filter { isOurs($0.key) }.prefix(Self.listedLimit).map(\.call)
    }

    /// Whether a key that a backend names is one that we may remove.
    private func isOurs(_ key: [UInt8]) -> Bool { key.starts(with: folder.utf8) && key.count <= Self.keyBytes }
}

/// Removes what it is told to, and counts what it could not.
private struct Remover {
    let calls: ProbeCalls
    private(set) var failures = 0

    init(calls: ProbeCalls) {
        self.calls = calls
    }

    mutating func remove(_ call: RemoteCall) async {
        var call = call
        // Also for a probe that was cancelled.
        call.isShielded = true
        do throws(ProbeStop) {
            if case .failure(let fault) = try await calls.result(of: call), !fault.isAboutNothing {
                throw .fault(fault)
            }
        } catch {
            failures += 1
        }
    }
}

extension RemoteFault {
    /// Whether it says that there is nothing to remove.
    fileprivate var isAboutNothing: Bool { isNotFound || hasCode("NoSuchUpload") || hasCode("NoSuchVersion") }
}

extension RemoteCall {
    static func versions(prefix: String) -> RemoteCall {
        .bucket("ListObjectVersions", [("versions", ""), ("max-keys", "1000"), ("prefix", prefix)])
    }

    fileprivate static func delete(_ key: String, version: String) -> RemoteCall {
        RemoteCall(operation: "DeleteObjectVersion", method: "DELETE", key: key, query: [("versionId", version)])
    }
}
