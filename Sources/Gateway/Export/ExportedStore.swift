package import Primitives

/// A store as a manifest tells of it: where it is, and where a shard is in it.
package struct ExportedStore: Sendable {
    /// Everything that it takes to reach the store, but for secrets.
    package var description: JSONObject
    /// The member of the manifest that says where a shard is in it, such as `key`.
    package var member: String
    /// Where a shard of this name is, if it is there.
    package var place: @Sendable (BlobName) -> String

    package init(_ description: JSONObject, member: String, place: @escaping @Sendable (BlobName) -> String) {
        (self.description, self.member, self.place) = (description, member, place)
    }
}

/// The first line of a manifest: what its other lines are about. The page Formats has the members.
package struct ExportHead: Sendable {
    package static let format = "tidegate-manifest"
    package static let version: Int64 = 1

    /// The id that every shard's checksums begin with.
    package var deployment: [UInt8]
    /// The last commit of the index that the manifest shows.
    package var commit: UInt64
    package var created: Timestamp
    /// By position.
    package var stores: [UInt16: ExportedStore]

    package init(deployment: [UInt8], commit: UInt64, created: Timestamp, stores: [UInt16: ExportedStore]) {
        (self.deployment, self.commit, self.created, self.stores) = (deployment, commit, created, stores)
    }

    /// The line, without its end.
    package var line: [UInt8] {
        let described = stores.sorted { $0.key < $1.key }.map { position, store -> JSON in
            var description = store.description
            description["position"] = .integer(Int64(position))
            return .object(description)
        }
        return JSON.object(
            JSONObject([
                ("format", .string(Self.format)), ("version", .integer(Self.version)),
                ("deployment", .string(Hex.encode(deployment))), ("commit", .integer(Int64(clamping: commit))),
                ("created", .string(created.iso8601)), ("stores", .array(described)),
            ])
        ).canonical
    }
}
