package import Cryptography
package import Primitives

/// What an operator keeps away from a deployment, and by which whatever is sealed in the copies of its index is opened
/// once its data directory is lost: 32 random bytes, shown once.
package struct RecoveryKey: Sendable, CustomStringConvertible, CustomReflectable {
    private let bytes: [UInt8]

    private static let length = 32
    private static let checkLength = 3
    private static let groupLength = 4
    private static let info = Array("tidegate recovery key 1".utf8)
    private static let fingerprintInfo = Array("tidegate sealing key fingerprint 1".utf8)
    /// Without I, L, O and U: nobody takes one for another, and no word comes out. As Crockford's base 32 has it.
    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)

    package var description: String { "(secret)" }
    package var customMirror: Mirror { Mirror(self, children: []) }

    package init(drawnFrom environment: some Environment) {
        bytes = environment.randomBytes(Self.length)
    }

    // MARK: As text

    /// 56 letters and digits in groups of four, of which the last three bytes tell a slip of the pen.
    package var text: String {
        let all = bytes + Self.check(of: bytes)
        var (letters, held, count) = ([UInt8](), 0, 0)
        for byte in all {
            held = held << 8 | Int(byte)
            count += 8
            while count >= 5 {
                count -= 5
                letters.append(Self.alphabet[held >> count & 31])
            }
            held &= 1 << count - 1
        }
        var text: [UInt8] = []
        for (number, letter) in letters.enumerated() {
            if number > 0, number.isMultiple(of: Self.groupLength) { text.append(UInt8(ascii: "-")) }
            text.append(letter)
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Reads what `text` gives, as somebody may have copied it: in either case, in other groups, with O for 0 and I or
    /// L for 1.
    ///
    /// - Throws: A sentence, which repeats nothing of the text.
    package init(text: String) throws(RecoveryKeyError) {
        var (all, held, count) = ([UInt8](), 0, 0)
        for byte in text.utf8 where !Self.isBetweenGroups(byte) {
            guard let value = Self.value(of: byte) else {
                throw RecoveryKeyError("A recovery key has letters, digits and hyphens alone.")
            }
            held = held << 5 | value
            count += 5
            if count >= 8 {
                count -= 8
                all.append(UInt8(truncatingIfNeeded: held >> count))
            }
            held &= 1 << count - 1
            guard all.count <= Self.length + Self.checkLength else { break }
        }
        guard all.count == Self.length + Self.checkLength, count == 0 else {
            throw RecoveryKeyError("A recovery key has 56 letters and digits, in 14 groups of four.")
        }
        let key = Array(all.prefix(Self.length))
        guard constantTimeEqual(Array(all.suffix(Self.checkLength)), Self.check(of: key)) else {
            throw RecoveryKeyError("A letter or digit of the recovery key is wrong, or two are exchanged.")
        }
        bytes = key
    }

    private static func isBetweenGroups(_ byte: UInt8) -> Bool {
        [UInt8(ascii: "-"), 0x20, 0x09, 0x0A, 0x0D].contains(byte)
    }

    private static func value(of byte: UInt8) -> Int? {
        let upper = (0x61...0x7A).contains(byte) ? byte & 0xDF : byte
        switch upper {
        case UInt8(ascii: "O"): return 0
        case UInt8(ascii: "I"), UInt8(ascii: "L"): return 1
        default: return alphabet.firstIndex(of: upper)
        }
    }

    private static func check(of bytes: [UInt8]) -> [UInt8] {
        Array(Digest.hash(.sha256, info + bytes).prefix(checkLength))
    }

    // MARK: Sealing

    /// Seals a deployment's sealing key.
    ///
    /// - Parameter deployment: the deployment's id: nobody can pass off one deployment's key as another's.
    package func seal(
        _ sealingKey: [UInt8], of deployment: [UInt8], _ environment: some Environment
    ) throws(CryptographyError) -> [UInt8] {
        let nonce = environment.randomBytes(AES256GCM.nonceLength)
        return nonce
            + (try AES256GCM.seal(sealingKey, key: try key(of: deployment), nonce: nonce, authenticating: deployment))
    }

    /// Opens what `seal` gave.
    ///
    /// - Throws: `authenticationFailed` for another recovery key, or another deployment.
    package func open(_ sealed: [UInt8], of deployment: [UInt8]) throws(CryptographyError) -> [UInt8] {
        let nonce = Array(sealed.prefix(AES256GCM.nonceLength))
        guard nonce.count == AES256GCM.nonceLength else {
            throw CryptographyError(.authenticationFailed, "What was sealed is cut off.")
        }
        return try AES256GCM.open(
            Array(sealed.dropFirst(nonce.count)), key: try key(of: deployment), nonce: nonce,
            authenticating: deployment)
    }

    private func key(of deployment: [UInt8]) throws(CryptographyError) -> [UInt8] {
        try HKDFSHA256.derive(secret: bytes, salt: deployment, info: Self.info, length: AES256GCM.keyLength)
    }

    /// By which a sealing key is known, so that one can tell whether it is the one that was sealed: 16 bytes, which
    /// tell nothing of it.
    package static func fingerprint(of sealingKey: [UInt8]) -> [UInt8] {
        Array(HMACSHA256.code(key: sealingKey, message: fingerprintInfo).prefix(16))
    }
}

/// Why a text is no recovery key.
package struct RecoveryKeyError: Error, Sendable, Hashable, CustomStringConvertible {
    /// A sentence for the operator.
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}
