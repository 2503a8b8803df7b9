/// One text file of the repository, with what the rules ask of it.
struct SourceFile: Sendable {
    /// The path from the root of the package, with slashes.
    let path: String
    /// The file as it is written.
    let lines: [String]
    /// The same lines with comments and the contents of string literals blanked, so that a rule about code meets
    /// code only.
    let code: [String]
    private let lineBytes: [[UInt8]]
    private let codeBytes: [[UInt8]]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = path.hasSuffix(".swift") ? CodeOnly.lines(of: text) : lines
        lineBytes = lines.map { Array($0.utf8) }
        codeBytes = code.map { Array($0.utf8) }
    }

    /// The target that the file belongs to: the folder under Sources or Tests.
    var target: String? {
        let parts = path.split(separator: "/")
        guard parts.count > 2, parts[0] == "Sources" || parts[0] == "Tests" else { return nil }
        return String(parts[1])
    }

    var isSwift: Bool { path.hasSuffix(".swift") }
    var isSource: Bool { isSwift && path.hasPrefix("Sources/") }
    var isTest: Bool { isSwift && path.hasPrefix("Tests/") }

    /// The numbers of lines, from 0, whose code has the words; `Character` is not found in `ReplacementCharacter`.
    func linesOfCode(with words: String) -> [Int] {
        let words = Array(words.utf8)
        let startsWord = words.first.map(Self.isLetter) ?? false
        return codeBytes.indices.filter { line in
            guard let position = Self.position(of: words, in: codeBytes[line]) else { return false }
            return !startsWord || position == 0 || !Self.isLetter(codeBytes[line][position - 1])
        }
    }

    /// The numbers of lines, from 0, that hold the words, in code or not.
    func lines(with words: String) -> [Int] {
        let words = Array(words.utf8)
        return lineBytes.indices.filter { Self.position(of: words, in: lineBytes[$0]) != nil }
    }

    /// Where words begin in a line. Many rules ask it of every line, so that it works on bytes.
    private static func position(of words: [UInt8], in line: [UInt8]) -> Int? {
        guard let first = words.first, line.count >= words.count else { return nil }
        var start = 0
        while start <= line.count - words.count {
            if line[start] == first {
                var length = 1
                while length < words.count, line[start + length] == words[length] { length += 1 }
                if length == words.count { return start }
            }
            start += 1
        }
        return nil
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (0x61...0x7a).contains(byte | 0x20) || byte >= 0x80
    }

    /// Whether a comment stands on the line or on the one before it.
    func isExplained(at line: Int) -> Bool {
        if Self.hasComment(lines[line], code[line]) { return true }
        guard line > 0 else { return false }
        return Self.hasComment(lines[line - 1], code[line - 1])
    }

    private static func hasComment(_ line: String, _ code: String) -> Bool {
        line.contains("//") && !code.contains("//")
    }
}
