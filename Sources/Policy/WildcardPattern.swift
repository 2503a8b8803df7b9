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
    /// Made once, with the policy, where no variable waits for its value.
    private(set) var compiled: CompiledPattern?

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
        if variableKeys.isEmpty {
            var pattern = CompiledPattern()
            for piece in pieces { pattern.append(piece) }
            compiled = pattern
        }
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

    /// Whether a variable in it has no value, so that nothing can be said of what it matches.
    func isUnknown(_ question: Question) -> Bool {
        guard compiled == nil else { return false }
        return pieces.contains { piece in
            guard case .variable(let key, let fallback) = piece else { return false }
            return Self.value(key, fallback, question) == nil
        }
    }

    /// Whether a variable in it has no value since it has several.
    func isAmbiguous(_ question: Question) -> Bool {
        guard compiled == nil else { return false }
        return variableKeys.contains { question.values($0)?.count ?? 0 > 1 }
    }

    /// Whether the whole text matches, with values in the place of variables; not where one has none.
    ///
    /// - Parameter lowercases: whether the values of variables are taken in lower case.
    func matches(_ text: [UInt8], _ question: Question, lowercases: Bool = false) -> Bool {
        (compiled ?? compiled(question, lowercases: lowercases))?.matches(text, question.cost) == true
    }

    private func compiled(_ question: Question, lowercases: Bool) -> CompiledPattern? {
        var pattern = CompiledPattern()
        for piece in pieces {
            guard case .variable(let key, let fallback) = piece else {
                pattern.append(piece)
                continue
            }
            guard let value = Self.value(key, fallback, question), question.cost.spend(value.count) else { return nil }
            pattern.append(lowercases ? Array(String(decoding: value, as: UTF8.self).lowercased().utf8) : value)
        }
        return pattern
    }

    private static func value(_ key: String, _ fallback: [UInt8]?, _ question: Question) -> [UInt8]? {
        guard let values = question.values(key) else { return fallback }
        // A key with several values stands for none of them.
        return values.count == 1 ? Array(values[0].utf8) : nil
    }
}

extension CompiledPattern {
    /// Appends anything but a variable.
    fileprivate mutating func append(_ piece: WildcardPattern.Piece) {
        switch piece {
        case .literal(let bytes): append(bytes)
        case .anyByte: appendAny()
        case .anyBytes: appendStar()
        case .variable: break
        }
    }
}
