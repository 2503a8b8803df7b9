/// Finds where functions begin and end in code whose comments and literals are blanked.
enum Functions {
    struct Function {
        /// The line of the word `func`, `init`, `deinit` or `subscript`, from 0.
        let start: Int
        let lines: Int
    }

    private static let openers: Set<String> = ["func", "init", "deinit", "subscript"]
    /// A word that begins another declaration: what stood before it had no body.
    private static let declarations: Set<String> = [
        "func", "init", "deinit", "subscript", "var", "let", "case", "struct", "enum", "class", "protocol", "extension",
        "actor", "associatedtype", "typealias", "static", "mutating", "package", "private", "internal", "consuming",
    ]

    static func of(_ file: SourceFile) -> [Function] {
        let tokens = tokenize(file.code)
        var found: [Function] = []
        for index in tokens.indices where openers.contains(tokens[index].text) {
            // `self.init(…)` and `.init(…)` are calls.
            if index > 0, tokens[index - 1].text == "." { continue }
            guard let open = body(after: index, in: tokens), let close = closing(of: open, in: tokens) else { continue }
            found.append(Function(start: tokens[index].line, lines: tokens[close].line - tokens[index].line + 1))
        }
        return found
    }

    private struct Token {
        let text: String
        let line: Int
    }

    private static func tokenize(_ code: [String]) -> [Token] {
        var tokens: [Token] = []
        for (number, line) in code.enumerated() {
            var word: [UInt8] = []
            func flush() {
                if !word.isEmpty { tokens.append(Token(text: String(decoding: word, as: UTF8.self), line: number)) }
                word = []
            }
            for byte in line.utf8 {
                let isWord =
                    byte >= 0x80 || byte == UInt8(ascii: "_") || (byte | 0x20 >= 0x61 && byte | 0x20 <= 0x7a)
                    || (byte >= 0x30 && byte <= 0x39)
                if isWord {
                    word.append(byte)
                } else {
                    flush()
                    if byte != UInt8(ascii: " ") {
                        tokens.append(Token(text: String(decoding: [byte], as: UTF8.self), line: number))
                    }
                }
            }
            flush()
        }
        return tokens
    }

    /// The brace that opens the body of the declaration at `index`, or nil where it has none.
    private static func body(after index: Int, in tokens: [Token]) -> Int? {
        var depth = 0
        for position in tokens.indices[(index + 1)...] {
            switch tokens[position].text {
            case "(", "[": depth += 1
            case ")", "]": depth -= 1
            case "{" where depth == 0: return position
            case "}" where depth == 0: return nil
            case let word where depth == 0 && position > index + 1 && declarations.contains(word): return nil
            default: break
            }
            if depth < 0 { return nil }
        }
        return nil
    }

    private static func closing(of open: Int, in tokens: [Token]) -> Int? {
        var depth = 0
        for position in tokens.indices[open...] {
            if tokens[position].text == "{" { depth += 1 }
            if tokens[position].text == "}" { depth -= 1 }
            if depth == 0 { return position }
        }
        return nil
    }
}
