package import Primitives

/// The 16 random bytes that tell one deployment's shards from another's.
package struct DeploymentID: Hashable, Sendable, CustomStringConvertible {
    package let bytes: [UInt8]

    /// - Throws: `layout` unless there are 16 bytes.
    package init(_ bytes: [UInt8]) throws(ErasureError) {
        guard bytes.count == 16 else { throw .layout("a deployment id of \(bytes.count) bytes instead of 16") }
        self.bytes = bytes
    }

    /// Draws a new one.
    package init(from environment: some Environment) {
        bytes = environment.randomBytes(16)
    }

    package var description: String { Hex.encode(bytes) }
}
