/// The map by which a Ceph cluster places data, as `ceph osd crush dump` tells of it: as far as failure domains depend
/// on it. Other members of the dump are passed over.
package struct CrushMap: Codable, Sendable, Hashable {
    /// A kind of bucket; number 0 are the devices.
    package struct Kind: Codable, Sendable, Hashable {
        var id: Int
        var name: String

        private enum CodingKeys: String, CodingKey {
            case id = "type_id"
            case name
        }
    }

    /// A host, a rack, a root: what holds devices or other buckets.
    package struct Bucket: Codable, Sendable, Hashable {
        package struct Item: Codable, Sendable, Hashable {
            /// Negative for a bucket, an OSD's number otherwise.
            var id: Int
        }

        var id: Int
        /// With a tilde and a device class in a shadow tree, which holds the devices of that class alone.
        var name: String
        var kind: String
        var items: [Item]

        var isShadow: Bool { name.utf8.contains(UInt8(ascii: "~")) }

        private enum CodingKeys: String, CodingKey {
            case id, name, items
            case kind = "type_name"
        }
    }

    /// How the data of a pool is placed.
    package struct Rule: Codable, Sendable, Hashable {
        package struct Step: Codable, Sendable, Hashable {
            /// Nil where the cluster that wrote the dump has no name for the step.
            var op: String?
            var opcode: Int?
            /// Where a `take` begins.
            var item: Int?
            /// Of what kind a `choose` takes.
            var type: String?
        }

        var name: String
        var steps: [Step]

        private enum CodingKeys: String, CodingKey {
            case name = "rule_name"
            case steps
        }
    }

    var types: [Kind]
    var buckets: [Bucket]
    var rules: [Rule]

    /// The names of its rules, as they stand there.
    package var ruleNames: [String] { rules.map(\.name) }

    /// What a dump may hold: several times what the largest clusters have.
    static let mostBuckets = 200_000
    static let mostItems = 500_000
    static let mostSteps = 64
}

/// Why a CRUSH map, or a rule of it, cannot be used: a sentence for the operator.
package struct CrushError: Error, Sendable, Hashable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
