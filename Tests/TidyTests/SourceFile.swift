/// One text file of the repository, with what the rules ask of it.
struct SourceFile: Sendable {
    /// The path from the root of the package, with slashes.
    let path: String
    /// The file as it is written.
    let lines: [String]
    /// The same lines with comments and the contents of string literals blanked, so that a rule about code meets
    /// code only.
    let code: [String]

    init(path: String, text: String) {
        self.path = path
        lines = text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
        code = path.hasSuffix(".swift") ? CodeOnly.lines(of: text) : lines
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
        code.indices.filter { line in
            guard let range = code[line].firstRange(of: words) else { return false }
            let startsWord = words.first?.isLetter ?? false
            let before = code[line][..<range.lowerBound].last
            return !startsWord || !(before?.isLetter ?? false)
        }
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
