/// What a backend is probed for, in the order in which that is done. The raw values are stable names.
package enum Ability: String, Sendable, Hashable, CaseIterable {
    /// Something that speaks S3 answers.
    case reach
    case tls
    /// Its clock is near enough to ours.
    case clock
    /// It takes our credentials, and nobody else's.
    case credentials
    case bucket
    case versioning
    case objectLock = "object-lock"
    /// No rule of the bucket removes objects, or moves them to where they cannot be read.
    case lifecycle
    /// A key without an object is told from one with an object, and from a bucket that is gone.
    case missingKey = "missing-key"
    case readAfterWrite = "read-after-write"
    /// A request that breaks off publishes nothing.
    case wholeOrAbsent = "whole-or-absent"
    case rangeReads = "range-reads"
    case overwrite
    case delete
    case listAfterWrite = "list-after-write"
    case listOrder = "list-order"
    case listPage = "list-page"
    case multipart
    case conditionalPut = "conditional-put"
    case checksumEcho = "checksum-echo"
    /// The SHA-256 that a request signs is compared with what came.
    case payloadHash = "payload-hash"
    case eTag = "etag"
    case latency
    case throughput
    /// What its answers tell of whether it syncs before it answers.
    case durabilityHint = "durability-hint"
    /// Everything that the probe wrote is gone.
    case removal

    /// The law of stores (`BlobStore`) that a backend without the ability would break; nil where none depends on it.
    package var law: String? {
        switch self {
        case .missingKey: "a blob that is not there is told from one that is, and from a bucket that is gone"
        case .readAfterWrite: "what was written is read back bit for bit, from then on"
        case .wholeOrAbsent, .multipart: "a blob is either wholly there under its name or not there at all"
        case .rangeReads: "what was written is read back bit for bit, by any range"
        case .overwrite: "writing under a name again succeeds, and what was written last is read"
        case .delete, .versioning, .objectLock:
            "a deleted blob is gone, its bytes with it, and deleting what is not there succeeds"
        case .listAfterWrite: "a listing has every blob that is held, and nothing else"
        case .listOrder: "a listing comes in the order of names, and goes on behind any of them"
        case .listPage: "a listing is whole, however many pages it has"
        case .lifecycle: "a blob stays until it is deleted, and can be read"
        case .reach, .tls, .clock, .credentials, .bucket, .conditionalPut, .checksumEcho, .payloadHash, .eTag,
            .latency, .throughput, .durabilityHint, .removal:
            nil
        }
    }

    /// Whether a backend is not taken unless it was seen to have the ability. What versioning and Object Lock would do
    /// to a deletion is also seen by deleting, and few services have rules.
    package var isRequired: Bool {
        switch self {
        case .versioning, .objectLock, .lifecycle: false
        case .reach, .credentials, .bucket: true
        default: law != nil
        }
    }

    /// Whether nothing further is asked of a backend that was refused for it: there would be no answer, or what is
    /// written could not be removed again.
    var endsProbe: Bool {
        switch self {
        case .reach, .clock, .credentials, .bucket, .versioning, .objectLock, .readAfterWrite: true
        default: false
        }
    }
}
