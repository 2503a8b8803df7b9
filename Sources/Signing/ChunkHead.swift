import Primitives

/// The line before a chunk: its size and, where chunks are signed, its signature.
struct ChunkHead: Equatable {
    /// In bytes; less than 2^60.
    let length: Int
    let signature: String?

    /// - Throws: `BodyError` of kind `malformed`.
    init(_ line: [UInt8], signed: Bool) throws(BodyError) {
        let mark = line.firstIndex(of: UInt8(ascii: ";")) ?? line.endIndex
        let digits = line[..<mark]
        guard (1...15).contains(digits.count) else { throw .malformedChunk("A chunk has no size.") }
        var length = 0
        for digit in digits {
            guard let value = Hex.value(of: digit) else { throw .malformedChunk("A chunk's size is no number.") }
            length = length << 4 | Int(value)
        }
        self.length = length
        let rest = String(decoding: line[mark...], as: UTF8.self)
        guard signed else {
            guard rest.isEmpty else { throw .malformedChunk("An unsigned chunk has an extension.") }
            signature = nil
            return
        }
        let prefix = ";chunk-signature="
        let text = String(decoding: rest.utf8.dropFirst(prefix.utf8.count), as: UTF8.self)
        guard rest.utf8.starts(with: prefix.utf8), PresentedSignature.isSignature(text) else {
            throw .malformedChunk("A signed chunk has no signature.")
        }
        signature = text
    }
}

extension BodyError {
    static func malformedChunk(_ message: String) -> BodyError { BodyError(.malformed, message) }
}
