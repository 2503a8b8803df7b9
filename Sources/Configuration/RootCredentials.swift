package import Primitives

/// The root key of a deployment that configures none: drawn at the first start, and kept from then on.
package struct RootCredentials: Sendable, Hashable {
    package let key: RootKey
    /// Whether it was drawn just now, and is to be shown once.
    package let isNew: Bool
    /// Where it is kept.
    package let path: String

    private static let fileName = "root-credentials"
    private static let accessKeyAlphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".utf8)

    /// Reads the key of a data directory, which must exist, or draws one and keeps it in `DATA/root-credentials` with
    /// mode 0600.
    ///
    /// - Throws: where the file cannot be used, or can be read by others: the key may be known to somebody then, and
    ///   the start is refused rather than the key replaced.
    package static func loadOrCreate(
        in data: String, environment: some Environment
    ) throws(PrivateFileError) -> RootCredentials {
        let path = "\(data)/\(fileName)"
        let drawn = draw(environment)
        if try PrivateFile.create(path, text(drawn)) { return RootCredentials(key: drawn, isNew: true, path: path) }
        return try load(from: data)
    }

    /// Keeps a key that was brought back in a data directory, which must exist.
    ///
    /// - Returns: False where there is one already, which stays.
    package static func restore(_ key: RootKey, in data: String) throws(PrivateFileError) -> Bool {
        try PrivateFile.create("\(data)/\(fileName)", text(key))
    }

    private static func text(_ key: RootKey) -> String {
        "access-key: \(key.accessKey)\nsecret-key: \(key.secretKey.reveal())\n"
    }

    /// Reads the key of a data directory.
    ///
    /// - Throws: where there is none, or as `loadOrCreate`.
    package static func load(from data: String) throws(PrivateFileError) -> RootCredentials {
        let path = "\(data)/\(fileName)"
        guard let key = parse(try PrivateFile.read(path)) else {
            throw PrivateFileError(
                "`\(path)` is damaged: it is to hold `access-key: …` and `secret-key: …`; remove it to have a new "
                    + "key drawn"
            )
        }
        return RootCredentials(key: key, isNew: false, path: path)
    }

    /// 20 characters of a 32-letter alphabet, and 240 random bits as 40 characters.
    private static func draw(_ environment: some Environment) -> RootKey {
        let letters = environment.randomBytes(16).map { accessKeyAlphabet[Int($0 & 31)] }
        return RootKey(
            accessKey: "TIDE" + String(decoding: letters, as: UTF8.self),
            secretKey: Secret(Base64.encodeURL(environment.randomBytes(30))))
    }

    private static func parse(_ text: String) -> RootKey? {
        let lines = text.utf8.split(separator: UInt8(ascii: "\n"))
        func value(_ name: String) -> String? {
            let prefix = Array("\(name): ".utf8)
            return lines.first { $0.starts(with: prefix) }
                .map { String(decoding: $0.dropFirst(prefix.count), as: UTF8.self) }
        }
        guard let accessKey = value("access-key"), let secret = value("secret-key"),
            TextForm.accessKey.accepts(accessKey), TextForm.secretKey.accepts(secret)
        else { return nil }
        return RootKey(accessKey: accessKey, secretKey: Secret(secret))
    }
}
