package import Primitives

/// The key under which a deployment seals what it keeps of others' secrets, such as the credentials of backends: drawn
/// where there is none, and kept in the data directory.
package struct SealingKey: Sendable, Hashable, CustomStringConvertible, CustomReflectable {
    /// 32 bytes, for the one place that seals.
    package let bytes: [UInt8]

    private static let fileName = "sealing-key"

    package var description: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    /// Where the key of a data directory is kept.
    package static func path(in data: String) -> String { "\(data)/\(fileName)" }

    /// Reads the key of a data directory, which must exist, or draws one and keeps it with mode 0600.
    ///
    /// - Throws: where the file cannot be used, or can be read by others.
    package static func loadOrCreate(
        in data: String, environment: some Environment
    ) throws(PrivateFileError) -> SealingKey {
        let drawn = environment.randomBytes(32)
        if try PrivateFile.create(path(in: data), Hex.encode(drawn) + "\n") { return SealingKey(bytes: drawn) }
        return try load(from: data)
    }

    /// Reads the key of a data directory.
    ///
    /// - Throws: where there is none, or it cannot be used, or can be read by others.
    package static func load(from data: String) throws(PrivateFileError) -> SealingKey {
        let path = path(in: data)
        guard let bytes = Hex.decode(try PrivateFile.read(path)), bytes.count == 32 else {
            throw PrivateFileError("`\(path)` is damaged: it is to hold 64 hexadecimal digits")
        }
        return SealingKey(bytes: bytes)
    }

    /// Keeps a key that was brought back in a data directory, which must exist.
    ///
    /// - Throws: where there is another key already, or the file cannot be written.
    package static func restore(_ bytes: [UInt8], in data: String) throws(PrivateFileError) {
        let path = path(in: data)
        guard bytes.count == 32 else { throw PrivateFileError("what was to be kept in `\(path)` is no sealing key") }
        if try PrivateFile.create(path, Hex.encode(bytes) + "\n") { return }
        guard try load(from: data).bytes == bytes else {
            throw PrivateFileError("`\(path)` is there and holds another key: move it away first")
        }
    }

    private init(bytes: [UInt8]) {
        self.bytes = bytes
    }
}
