import Configuration
import Primitives
import Signing

/// Access key and secret of a backend.
struct BackendCredentials: Sendable, Hashable {
    var accessKey: String
    var secret: Secret
    var sessionToken: Secret?

    var forSigning: SigningCredentials {
        SigningCredentials(
            accessKeyID: accessKey, secret: SecretKey(secret.reveal()), sessionToken: sessionToken?.reveal())
    }

    /// Reads the lines `access-key: …`, `secret-key: …` and perhaps `session-token: …`.
    ///
    /// - Parameter path: a file that its owner alone can read, or `-` for standard input.
    static func read(_ path: String) throws(StartError) -> BackendCredentials {
        let source = path.utf8.elementsEqual("-".utf8) ? "Standard input" : "`\(path)`"
        return try BackendCredentials(try PrivateText.read(path, "The credentials"), from: source)
    }

    /// - Parameter source: what a message calls the text; it repeats nothing of it.
    init(_ text: String, from source: String) throws(StartError) {
        var values: [String: String] = [:]
        for line in text.utf8.split(whereSeparator: { $0 == UInt8(ascii: "\n") || $0 == UInt8(ascii: "\r") }) {
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
            let value = line[line.index(after: colon)...].drop { $0 == UInt8(ascii: " ") }
            values[String(decoding: line[..<colon], as: UTF8.self)] = String(decoding: value, as: UTF8.self)
        }
        self.init(
            accessKey: values["access-key"] ?? "", secret: Secret(values["secret-key"] ?? ""),
            sessionToken: values["session-token"].map { Secret($0) })
        guard arePlain else {
            throw StartError(
                "\(source) is to hold the lines `access-key: …` and `secret-key: …`, and perhaps `session-token: …`, "
                    + "each of visible ASCII characters.")
        }
    }

    init(_ given: BackendDeclaration.Credentials) {
        self.init(
            accessKey: given.accessKey, secret: Secret(given.secretKey),
            sessionToken: given.sessionToken.map { Secret($0) })
    }

    /// Whether they can stand in a request: a field must not end where a credential wants it to.
    var arePlain: Bool {
        Self.isPlain(accessKey, atMost: 256) && Self.isPlain(secret.reveal(), atMost: 1024)
            && (sessionToken.map { Self.isPlain($0.reveal(), atMost: 16 << 10) } ?? true)
    }

    init(accessKey: String, secret: Secret, sessionToken: Secret?) {
        (self.accessKey, self.secret, self.sessionToken) = (accessKey, secret, sessionToken)
    }

    private static func isPlain(_ text: String, atMost count: Int) -> Bool {
        !text.utf8.isEmpty && text.utf8.count <= count && text.utf8.allSatisfy { (0x21...0x7E).contains($0) }
    }
}
