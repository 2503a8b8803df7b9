/// A text with `*` (any bytes), `?` (any one byte) and policy variables such as `${aws:username}`.
///
/// A variable stands for its value as it is: a `*` in a value is no wildcard.
/// Source: <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>
struct WildcardPattern: Sendable, Hashable {
    enum Piece: Sendable, Hashable {
        case literal([UInt8])
        case anyByte
        case anyBytes
        case variable(key: String, fallback: [UInt8]?)
    }

    private(set) var pieces: [Piece] = []

    /// - Parameters:
    ///   - wildcards: whether `*` and `?` mean more than themselves.
    ///   - variables: whether `${…}` does, which is so since the version `2012-10-17` of the language.
    /// - Throws: `PolicyError` for a variable that does not end or has no name.
    init(_ text: some Sequence<UInt8>, wildcards: Bool = true, variables: Bool) throws(PolicyError) {
        var rest = Array(text)[...]
        var literal: [UInt8] = []
        func flush() {
            if !literal.isEmpty { pieces.append(.literal(literal)) }
            literal = []
        }
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "*") where wildcards:
                flush()
                if pieces.last != .anyBytes { pieces.append(.anyBytes) }
            case UInt8(ascii: "?") where wildcards:
                flush()
                pieces.append(.anyByte)
            case UInt8(ascii: "$") where variables && rest.first == UInt8(ascii: "{"):
                guard let end = rest.firstIndex(of: UInt8(ascii: "}")) else {
                    throw PolicyError("A policy variable does not end.")
                }
                let inside = rest[rest.index(after: rest.startIndex)..<end]
                rest = rest[rest.index(after: end)...]
                // These three stand for themselves.
                if inside.count == 1, let escaped = inside.first, "*?$".utf8.contains(escaped) {
                    literal.append(escaped)
                } else {
                    flush()
                    pieces.append(try Self.variable(inside))
                }
            default: literal.append(byte)
            }
        }
        flush()
    }

    /// The text between the braces: a key, and after a comma perhaps a default in single quotes.
    private static func variable(_ text: ArraySlice<UInt8>) throws(PolicyError) -> Piece {
        let comma = text.firstIndex(of: UInt8(ascii: ",")) ?? text.endIndex
        let key = String(decoding: text[..<comma].filter { $0 != 0x20 }, as: UTF8.self).lowercased()
        guard key.utf8.contains(UInt8(ascii: ":")) else { throw PolicyError("A policy variable has no valid name.") }
        guard comma < text.endIndex else { return .variable(key: key, fallback: nil) }
        var value = text[text.index(after: comma)...].drop(while: { $0 == 0x20 })
        while value.last == 0x20 { value.removeLast() }
        guard value.count >= 2, value.first == UInt8(ascii: "'"), value.last == UInt8(ascii: "'") else {
            throw PolicyError("The default of a policy variable is not in single quotes.")
        }
        return .variable(key: key, fallback: Array(value.dropFirst().dropLast()))
    }

    /// The keys that its variables name, in lower case.
    var variableKeys: [String] {
        pieces.compactMap { if case .variable(let key, _) = $0 { key } else { nil } }
    }

    /// Whether something other than itself matches it.
    var isFixed: Bool {
        pieces.allSatisfy { if case .literal = $0 { true } else { false } }
    }

    /// Puts values in the place of variables; nil where one has none, since then nothing can match.
    func resolved(_ question: Question) -> ResolvedPattern? {
        var tokens: [ResolvedPattern.Token] = []
        for piece in pieces {
            switch piece {
            case .literal(let bytes): tokens += bytes.map { .byte($0) }
            case .anyByte: tokens.append(.anyByte)
            case .anyBytes: tokens.append(.anyBytes)
            case .variable(let key, let fallback):
                // A key with several values stands for none of them.
                if let values = question.values(key), values.count == 1 {
                    tokens += values[0].utf8.map { .byte($0) }
                } else if let fallback, question.values(key) == nil {
                    tokens += fallback.map { .byte($0) }
                } else {
                    return nil
                }
            }
        }
        return ResolvedPattern(tokens: tokens)
    }
}

/// A pattern without variables.
struct ResolvedPattern {
    enum Token {
        case byte(UInt8)
        case anyByte
        case anyBytes
    }

    let tokens: [Token]

    init(tokens: [Token]) {
        self.tokens = tokens
    }

    /// Whether the whole text matches. It remembers the last `*` alone, so that its cost is at most the product of
    /// both lengths.
    func matches(_ text: some RandomAccessCollection<UInt8>) -> Bool {
        var (place, token) = (text.startIndex, 0)
        var star: (token: Int, place: Int)?
        let base = text.startIndex
        while place < text.endIndex {
            if token < tokens.count, case .anyBytes = tokens[token] {
                star = (token, text.distance(from: base, to: place))
                token += 1
            } else if token < tokens.count, Self.matches(tokens[token], text[place]) {
                token += 1
                text.formIndex(after: &place)
            } else if let last = star {
                // One more byte goes to the last star.
                star = (last.token, last.place + 1)
                token = last.token + 1
                place = text.index(base, offsetBy: last.place + 1)
            } else {
                return false
            }
        }
        while token < tokens.count, case .anyBytes = tokens[token] { token += 1 }
        return token == tokens.count
    }

    private static func matches(_ token: Token, _ byte: UInt8) -> Bool {
        switch token {
        case .byte(let expected): expected == byte
        case .anyByte, .anyBytes: true
        }
    }
}
