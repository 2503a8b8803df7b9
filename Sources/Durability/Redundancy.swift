/// How a blob is spread, as far as its loss goes: any k of its k + m shards give it back.
package struct Redundancy: Hashable, Sendable, Comparable, CustomStringConvertible {
    /// k.
    package var dataShards: Int
    /// m.
    package var parityShards: Int

    /// - Parameters:
    ///   - dataShards: k, at least 1.
    ///   - parityShards: m, at least 0.
    package init(_ dataShards: Int, _ parityShards: Int) {
        (self.dataShards, self.parityShards) = (max(1, dataShards), max(0, parityShards))
    }

    /// k + m.
    package var shards: Int { dataShards + parityShards }

    /// Bytes stored for a byte of data.
    package var overhead: Double { Double(shards) / Double(dataShards) }

    /// As seen by failure domains that are lost as a whole: of so many domains, so many may be lost.
    ///
    /// - Parameter shards: The most shards of a blob that one domain holds, at least 1.
    package func ofDomains(holding shards: Int) -> Redundancy {
        let each = max(1, shards)
        let domains = (self.shards + each - 1) / each
        let spare = min(domains - 1, parityShards / each)
        return Redundancy(domains - spare, spare)
    }

    package var description: String { "\(dataShards)+\(parityShards)" }

    package static func < (left: Redundancy, right: Redundancy) -> Bool {
        (left.dataShards, left.parityShards) < (right.dataShards, right.parityShards)
    }
}
