import NIOCore
import Primitives

/// What a deletion leaves behind, and whether anything keeps it from being made.
extension Probing {
    mutating func versioning() async throws(ProbeStop) -> ProbeOutcome {
        let call = RemoteCall.bucket("GetBucketVersioning", [("versioning", "")])
        let shown = "What a deletion leaves, shows."
        switch try await calls.result(of: call) {
        case .success(let answer): abilities.versioning = BucketAnswers.versioning(answer.body)
        case .failure(let fault):
            guard case .refused = fault.kind else { throw .fault(fault) }
            return .unknown("It does not say whether the bucket keeps versions: \(fault). \(shown)")
        }
        switch abilities.versioning {
        case nil: return .unknown("What it says of the bucket's versioning is nothing of S3's. \(shown)")
        case .off: return .good("The bucket keeps no versions.")
        case .suspended:
            leavesVersions = true
            return .limited(
                "The versioning of the bucket is suspended: what is deleted goes, but each deletion leaves a delete "
                    + "marker, which listings go through, until a lifecycle rule removes expired ones "
                    + "(ExpiredObjectDeleteMarker); versions from before stay. A bucket that never had it is better.")
        case .enabled:
            return .refused(
                "The bucket keeps versions: a deletion would hide the bytes of a shard, which stay and are paid for. "
                    + "Take another bucket, or suspend its versioning and remove the versions that it has.")
        }
    }

    mutating func objectLock() async throws(ProbeStop) -> ProbeOutcome {
        let call = RemoteCall.bucket("GetObjectLockConfiguration", [("object-lock", "")])
        switch try await calls.result(of: call) {
        case .success(let answer): abilities.objectLock = BucketAnswers.objectLock(answer.body)
        case .failure(let fault):
            guard case .refused = fault.kind else { throw .fault(fault) }
            guard fault.hasCode("ObjectLockConfigurationNotFoundError") else {
                return .unknown("It does not say whether the bucket has Object Lock: \(fault). A deletion shows.")
            }
            abilities.objectLock = .off
        }
        switch abilities.objectLock {
        case nil: return .unknown("What it says of Object Lock is nothing of S3's. A deletion shows.")
        case .off: return .good("The bucket has no Object Lock.")
        case .withDefaultRetention:
            return .refused(
                "The bucket locks every object for a time (Object Lock with a default retention): nothing can be "
                    + "deleted before that is over. Take a bucket without it.")
        case .withoutDefaultRetention:
            return .limited(
                "The bucket has Object Lock, though nothing is locked unless asked for: whoever sets a default "
                    + "retention later keeps shards from being deleted. A bucket without it is better.")
        }
    }

    mutating func lifecycle() async throws(ProbeStop) -> ProbeOutcome {
        let call = RemoteCall.bucket("GetBucketLifecycleConfiguration", [("lifecycle", "")])
        switch try await calls.result(of: call) {
        case .success(let answer):
            guard let rules = BucketAnswers.harmfulRules(answer.body, for: probe.endpoint.prefix) else {
                return .unknown("What it says of lifecycle rules is nothing of S3's.")
            }
            guard rules > 0 else { return .good("No lifecycle rule of the bucket removes or moves our objects.") }
            return .refused(
                "\(rules == 1 ? "A lifecycle rule" : "\(rules) lifecycle rules") of the bucket would remove or move "
                    + "objects below \(probe.endpoint.prefix.isEmpty ? "its root" : probe.endpoint.prefix) by their "
                    + "age. Take another bucket, or give each rule a prefix of its own.")
        case .failure(let fault):
            guard case .refused = fault.kind else { throw .fault(fault) }
            guard fault.hasCode("NoSuchLifecycleConfiguration") else {
                return .unknown("It does not say whether the bucket has lifecycle rules: \(fault).")
            }
            return .good("The bucket has no lifecycle rules.")
        }
    }

    mutating func delete() async throws(ProbeStop) -> ProbeOutcome {
        var deleted: [String] = []
        for name in ["list/gone-1", "list/gone-2", "list/gone-3"] {
            let (key, bytes) = (key(name), bytes(100))
            deleted.append(key)
            try await calls.put(key, bytes)
            try await calls.expect(key, bytes, "An object that was just written")
            try await calls.delete(key)
            try await calls.expectNothing(key, limit: 100, "An object that was just deleted")
            // Deleting succeeds where there is nothing any more.
            try await calls.delete(key)
        }
        try await calls.delete(folder + "never")
        return try await hidden(deleted)
    }

    /// Looks for what deletions may have hidden.
    private mutating func hidden(_ deleted: [String]) async throws(ProbeStop) -> ProbeOutcome {
        let seen = "Deleted objects are gone at once, and deleting what is not there succeeds"
        let call = RemoteCall.versions(prefix: listed + "gone-")
        guard case .success(let answer) = try await calls.result(of: call, limit: BucketAnswers.versionsLimit),
            let found = BucketAnswers.versions(answer.body)
        else { return .good("\(seen); whether their bytes are kept cannot be seen, as it lists no versions.") }
        let ours = found.filter { deleted.contains($0.key) }
        leavesVersions = leavesVersions || !ours.isEmpty
        guard !ours.contains(where: { !$0.isDeleteMarker }) else {
            return .refused(
                "Deleted objects are kept as versions: their bytes stay and are paid for. Take a bucket without "
                    + "versioning, or suspend it and remove the versions that there are.")
        }
        guard ours.isEmpty else {
            return .limited("\(seen), but each deletion leaves a delete marker behind, which listings go through.")
        }
        return .good("\(seen); it keeps no versions of them.")
    }
}
