import Primitives

/// The keys in the bucket: what a store keeps below its prefix. Keys sort as names do, since a name's text does.
struct ObjectNames: Sendable {
    private let prefix: String

    init(prefix: String) {
        self.prefix = prefix
    }

    /// Whose the store is.
    var identity: String { "\(prefix)identity" }

    /// Before the key of every blob.
    var blobs: String { "\(prefix)blobs/" }

    /// Before every key of every probe: neither an identity nor a blob can be there.
    var probes: String { "\(prefix)probe-" }

    /// Before every key of a probe.
    func probeFolder(_ id: String) -> String { "\(probes)\(id)/" }

    func key(of name: BlobName) -> String { "\(blobs)\(name)" }

    /// The blob under a key; nil for a key that is none of ours.
    func name(of key: [UInt8]) -> BlobName? {
        guard key.starts(with: blobs.utf8) else { return nil }
        return BlobName(String(decoding: key.dropFirst(blobs.utf8.count), as: UTF8.self))
    }
}
