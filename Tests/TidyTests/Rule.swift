import Testing

/// A rule of style that a machine can keep: it looks at the whole tree and names each place where it is broken.
///
/// Every rule brings a sample that breaks it and one that keeps it, so that the tests know that it can fail.
struct Rule: Sendable, CustomTestStringConvertible {
    let name: String
    let bad: [SourceFile]
    let good: [SourceFile]
    let check: @Sendable (SourceTree) -> [Violation]

    var testDescription: String { name }

    init(
        _ name: String, bad: [SourceFile], good: [SourceFile], check: @escaping @Sendable (SourceTree) -> [Violation]
    ) {
        (self.name, self.bad, self.good, self.check) = (name, bad, good, check)
    }

    /// A rule that looks at one file at a time.
    static func eachFile(
        _ name: String, bad: [SourceFile], good: [SourceFile],
        where applies: @escaping @Sendable (SourceFile) -> Bool,
        check: @escaping @Sendable (SourceFile) -> [Violation]
    ) -> Rule {
        Rule(name, bad: bad, good: good) { tree in
            tree.files.filter(applies).flatMap(check)
        }
    }

    /// A rule against words in code.
    static func banned(
        _ words: [String], _ reason: String, bad: [SourceFile], good: [SourceFile],
        unlessExplained: Bool = false, where applies: @escaping @Sendable (SourceFile) -> Bool
    ) -> Rule {
        eachFile(reason, bad: bad, good: good, where: applies) { file in
            words.flatMap { word in
                file.linesOfCode(with: word)
                    .filter { !unlessExplained || !file.isExplained(at: $0) }
                    .map { Violation(path: file.path, line: $0 + 1, reason: "`\(word)`: \(reason)") }
            }
        }
    }

    static let all: [Rule] =
        Rule.sizes + Rule.words + Rule.imports + Rule.text + [.documented, .noDuplicates, .noEmptyCatch, .secrets]
}
