import Primitives

/// Collects the fields of a trailer and checks that they are those announced.
struct TrailerParser: Sendable {
    static let signatureName = "x-amz-trailer-signature"
    /// How many lines are read.
    static let maximumFields = 8

    private(set) var fields = HeaderFields()
    private let names: [String]
    private let isSigned: Bool
    private var signature: String?

    init(names: [String], isSigned: Bool) {
        (self.names, self.isSigned) = (names, isSigned)
    }

    /// Takes one line. Nothing may follow the signature.
    ///
    /// - Throws: `BodyError` of kind `malformedTrailer`.
    mutating func append(_ line: [UInt8]) throws(BodyError) {
        guard let mark = line.firstIndex(of: UInt8(ascii: ":")), fields.fields.count < Self.maximumFields,
            signature == nil, let text = String(validating: line[line.index(after: mark)...], as: UTF8.self),
            !text.utf8.contains(where: { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F })
        else { throw Self.malformed("The trailer has a malformed line.") }
        let name = String(decoding: line[..<mark], as: UTF8.self).lowercased()
        let value = text.trimmingSpaces
        if isSigned, name == Self.signatureName {
            signature = value
            return
        }
        guard names.contains(name), !fields.contains(name) else {
            throw Self.malformed("The trailer has a field that was not announced, or one twice.")
        }
        fields.append(name, value)
    }

    /// Checks that everything announced came, and the signature.
    ///
    /// - Throws: `BodyError` of kind `malformedTrailer` or `signatureMismatch`.
    mutating func finish(_ signatures: inout ChunkSignatures?) throws(BodyError) {
        guard fields.fields.count == names.count else {
            throw Self.malformed("A field that x-amz-trailer announces is missing.")
        }
        guard isSigned else { return }
        guard let signature else { throw Self.malformed("The trailer has no signature.") }
        guard signatures?.verify(signature, trailer: fields) == true else {
            throw BodyError(.signatureMismatch, "The signature of the trailer does not match.")
        }
    }

    private static func malformed(_ message: String) -> BodyError { BodyError(.malformedTrailer, message) }
}
