/// What a backend was measured to be able to do. Nil is what could not be measured.
package struct BackendAbilities: Sendable, Hashable {
    /// What an object's ETag is, after a PUT without checksums and encryption that were asked for.
    package enum ETagRule: String, Sendable, Hashable {
        /// The MD5 of the bytes.
        case md5
        case other
        case absent
    }

    package enum Versioning: String, Sendable, Hashable {
        case off
        case suspended
        case enabled
    }

    package enum ObjectLock: String, Sendable, Hashable {
        case off
        case withoutDefaultRetention = "without-default-retention"
        case withDefaultRetention = "with-default-retention"
    }

    /// How long a small request takes.
    package struct Latency: Sendable, Hashable {
        package var median: Duration
        /// The 99th of a hundred; of as few as the probe makes, the longest.
        package var p99: Duration

        package init(median: Duration, p99: Duration) {
            (self.median, self.p99) = (median, p99)
        }
    }

    /// The name and version that it gives itself: printable ASCII, at most 64 bytes.
    package var server: String?
    /// `TLSv1.3` or `TLSv1.2`; nil over plain HTTP.
    package var tls: String?
    /// By how much its clock is ahead of ours, to a second.
    package var clockSkew: Duration?
    /// Whether it refuses a request with a wrong signature.
    package var checksSignatures: Bool?
    package var versioning: Versioning?
    package var objectLock: ObjectLock?
    package var rangeReads: Bool?
    /// The most keys of a page, as it says where 1,000 are asked for.
    package var listPageLimit: Int?
    /// Whether a page has no more keys than were asked for.
    package var honoursPageLimit: Bool?
    /// Whether keys of any text are listed in the order of their bytes, not only those of blobs.
    package var listsAllInByteOrder: Bool?
    package var multipart: Bool?
    /// The least bytes of a part before the last that it was seen to take.
    package var leastPartBytes: Int?
    /// The most parts of a page of ListParts, as it says.
    package var partPageLimit: Int?
    /// Whether it lists uploads that are under way, so that those left behind can be found.
    package var listsUploads: Bool?
    /// Whether `If-None-Match: *` keeps an object from being overwritten, also where two come at once.
    package var conditionalPut: Bool?
    /// Whether a CRC-32C that is sent is compared with the bytes, and repeated.
    package var checksumEcho: Bool?
    /// Whether the SHA-256 that a request signs is compared with the bytes.
    package var payloadHash: Bool?
    package var eTag: ETagRule?
    package var putLatency: Latency?
    package var getLatency: Latency?
    package var putBytesPerSecond: Int64?
    package var getBytesPerSecond: Int64?

    package init() {}
}
