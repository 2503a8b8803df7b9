/// A small reader of Swift that tells code from comments and string literals.
///
/// It keeps the shape: as many lines as the text has, with the contents of literals and comments as spaces.
/// Code inside an interpolation is blanked with its literal.
enum CodeOnly {
    private enum State {
        case code
        case lineComment
        case blockComment(depth: Int)
        case string(pounds: Int, multiline: Bool)
    }

    static func lines(of text: String) -> [String] {
        var reader = Reader(Array(text.utf8))
        reader.run()
        return String(decoding: reader.output, as: UTF8.self)
            .split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }

    private struct Reader {
        private static let slashes = Array("//".utf8)
        private static let opening = Array("/*".utf8)
        private static let closing = Array("*/".utf8)
        private static let escapedPound = Array("\\#".utf8)
        private static let tripleQuote = Array("\"\"\"".utf8)

        let input: [UInt8]
        var output: [UInt8] = []
        var position = 0
        var state = State.code
        /// Depths of parentheses inside `\(…)`, one for each literal that is open around the present one.
        var interpolation = 0

        init(_ input: [UInt8]) {
            self.input = input
            output.reserveCapacity(input.count)
        }

        mutating func run() {
            while position < input.count {
                switch state {
                case .code: code()
                case .lineComment: lineComment()
                case .blockComment(let depth): blockComment(depth)
                case .string(let pounds, let multiline): string(pounds, multiline)
                }
            }
        }

        func matches(_ bytes: [UInt8], at start: Int) -> Bool {
            guard start + bytes.count <= input.count else { return false }
            var length = 0
            while length < bytes.count, input[start + length] == bytes[length] { length += 1 }
            return length == bytes.count
        }

        mutating func blank(_ count: Int) {
            for _ in 0..<count where position < input.count {
                output.append(input[position] == UInt8(ascii: "\n") ? input[position] : UInt8(ascii: " "))
                position += 1
            }
        }

        mutating func copy(_ count: Int) {
            for _ in 0..<count where position < input.count {
                output.append(input[position])
                position += 1
            }
        }

        mutating func code() {
            if matches(Self.slashes, at: position) {
                state = .lineComment
            } else if matches(Self.opening, at: position) {
                state = .blockComment(depth: 1)
                blank(2)
            } else if input[position] == UInt8(ascii: "\"") {
                open(pounds: 0)
            } else if input[position] == UInt8(ascii: "#"), let pounds = poundsBeforeQuote() {
                copy(pounds)
                open(pounds: pounds)
            } else {
                copy(1)
            }
        }

        func poundsBeforeQuote() -> Int? {
            var end = position
            while end < input.count, input[end] == UInt8(ascii: "#") { end += 1 }
            return end < input.count && input[end] == UInt8(ascii: "\"") ? end - position : nil
        }

        mutating func open(pounds: Int) {
            let multiline = matches(Self.tripleQuote, at: position)
            state = .string(pounds: pounds, multiline: multiline)
            interpolation = 0
            copy(multiline ? 3 : 1)
        }

        mutating func lineComment() {
            if input[position] == UInt8(ascii: "\n") {
                state = .code
                copy(1)
            } else {
                blank(1)
            }
        }

        mutating func blockComment(_ depth: Int) {
            if matches(Self.closing, at: position) {
                blank(2)
                state = depth == 1 ? .code : .blockComment(depth: depth - 1)
            } else if matches(Self.opening, at: position) {
                blank(2)
                state = .blockComment(depth: depth + 1)
            } else {
                blank(1)
            }
        }

        mutating func string(_ pounds: Int, _ multiline: Bool) {
            let byte = input[position]
            if interpolation > 0 {
                if byte == UInt8(ascii: "(") { interpolation += 1 }
                if byte == UInt8(ascii: ")") { interpolation -= 1 }
                blank(1)
            } else if byte == UInt8(ascii: "\\"), pounds == 0 || matches(Self.escapedPound, at: position) {
                let isInterpolation =
                    input.indices.contains(position + 1 + pounds)
                    && input[position + 1 + pounds] == UInt8(ascii: "(")
                interpolation = isInterpolation ? 1 : 0
                blank(2 + pounds)
            } else if closes(pounds, multiline) {
                copy((multiline ? 3 : 1) + pounds)
                state = .code
            } else if byte == UInt8(ascii: "\n"), !multiline {
                state = .code
                copy(1)
            } else {
                blank(1)
            }
        }

        func closes(_ pounds: Int, _ multiline: Bool) -> Bool {
            guard multiline ? matches(Self.tripleQuote, at: position) : input[position] == UInt8(ascii: "\"") else {
                return false
            }
            let end = position + (multiline ? 3 : 1)
            guard end + pounds <= input.count else { return false }
            return (end..<end + pounds).allSatisfy { input[$0] == UInt8(ascii: "#") }
        }
    }
}
