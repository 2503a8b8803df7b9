/// Why shards cannot be cut, joined or read.
package enum ErasureError: Error, Equatable, CustomStringConvertible {
    /// Numbers of shards or a cell size outside the limits of `Geometry`.
    case geometry(String)
    /// Buffers or shard numbers that do not fit one another. It names a fault of ours, not of stored bytes.
    case layout(String)
    /// Bytes of a shard that are not what the format says, or whose checksum is wrong.
    case malformed(String)

    package var description: String {
        switch self {
        case .geometry(let detail): "bad geometry: \(detail)"
        case .layout(let detail): "bad layout: \(detail)"
        case .malformed(let detail): "malformed shard: \(detail)"
        }
    }
}
