extension Rule {
    /// Written in two pieces, so that this file does not break the rule that it keeps.
    private static let machinePaths = ["/wo" + "rk/", "/ro" + "ot/", "/opt/sw" + "ift", ".pye" + "nv"]
    private static let hosts = [
        "py" + "pi.org", "files.pyth" + "onhosted", "deb.deb" + "ian.org", "registry.npm" + "js",
    ]

    static let text: [Rule] = [
        phrases(machinePaths, "a path of one machine: find it by PATH, by environment, or from the package"),
        phrases(hosts, "a registry's host: leave it to the client's own configuration"),
        eachFile(
            "no trailing white space, no tabs in Swift, one newline at the end",
            bad: [
                SourceFile(path: "Sources/A/A.swift", text: "let a = 1 \n"),
                SourceFile(path: "Sources/A/A.swift", text: "\tlet a = 1\n"),
                SourceFile(path: "Sources/A/A.swift", text: "let a = 1"),
            ],
            good: [SourceFile(path: "Sources/A/A.swift", text: "let a = 1\n")],
            where: { $0.isSwift }
        ) { file in
            var found = file.lines.indices.filter { file.lines[$0].hasSuffix(" ") || file.lines[$0].contains("\t") }
            if file.lines.last != "" { found.append(file.lines.count - 1) }
            return found.map { Violation(path: file.path, line: $0 + 1, reason: "white space") }
        },
    ]

    private static func phrases(_ phrases: [String], _ reason: String) -> Rule {
        eachFile(
            reason,
            bad: [SourceFile(path: "Makefile", text: "DIR = \(phrases[0])x")],
            good: [SourceFile(path: "Makefile", text: "DIR = data")],
            where: { _ in true }
        ) { file in
            phrases.flatMap { phrase in
                file.lines(with: phrase).map {
                    Violation(path: file.path, line: $0 + 1, reason: "`\(phrase)`: \(reason)")
                }
            }
        }
    }

    /// Types that other targets use say what they are.
    static let documented = eachFile(
        "a package type has a doc comment",
        bad: [
            SourceFile(path: "Sources/A/A.swift", text: "package struct A {}\n"),
            SourceFile(path: "Sources/A/A.swift", text: "/// What it is.\n\npackage enum A {}\n"),
        ],
        good: [
            SourceFile(path: "Sources/A/A.swift", text: "/// What it is.\n@frozen\npackage struct A {}\n"),
            SourceFile(path: "Sources/A/A.swift", text: "struct A {}\n"),
        ],
        where: { $0.isSource }
    ) { file in
        let kinds = [
            "struct ", "enum ", "protocol ", "actor ", "class ", "final class ", "typealias ", "indirect enum ",
        ]
        return file.code.indices.filter { line in
            // Nested types, which are indented, speak through the type around them.
            kinds.contains { file.code[line].hasPrefix("package \($0)") } && !isDocumented(file, line)
        }.map { Violation(path: file.path, line: $0 + 1, reason: "no doc comment") }
    }

    private static func isDocumented(_ file: SourceFile, _ line: Int) -> Bool {
        var above = line - 1
        while above >= 0, file.lines[above].hasPrefix("@") { above -= 1 }
        return above >= 0 && file.lines[above].hasPrefix("///")
    }

    static let noEmptyCatch = eachFile(
        "an empty catch says why nothing is lost",
        bad: [SourceFile(path: "Sources/A/A.swift", text: "do {\n} catch {\n}\n")],
        good: [
            SourceFile(path: "Sources/A/A.swift", text: "do {\n} catch {\n    // Nothing was begun.\n}\n"),
            SourceFile(path: "Sources/A/A.swift", text: "do {\n} catch {\n    throw error\n}\n"),
        ],
        where: { $0.isSource }
    ) { file in
        file.code.indices.filter { line in
            guard file.code[line].contains("catch") else { return false }
            let code = file.code[line...].prefix(4).joined(separator: "\n").split(separator: "catch", maxSplits: 1)[
                1...]
            guard let rest = code.first, let open = rest.firstIndex(of: "{") else { return false }
            let body = rest[rest.index(after: open)...].drop { $0 == " " || $0 == "\n" }
            guard body.first == "}" else { return false }
            return !file.lines[line...].prefix(4).contains { $0.contains("//") }
        }.map { Violation(path: file.path, line: $0 + 1, reason: "an empty catch") }
    }

    /// How many equal lines of code in a row are a copy.
    private static let copyLength = 30

    static let noDuplicates = Rule(
        "no piece of code stands twice",
        bad: [
            SourceFile(
                path: "Sources/A/A.swift", text: (0..<40).map { "    run(step: \($0))" }.joined(separator: "\n")),
            SourceFile(path: "Sources/A/B.swift", text: (0..<40).map { "run(step: \($0))" }.joined(separator: "\n")),
        ],
        good: [
            SourceFile(path: "Sources/A/A.swift", text: (0..<40).map { "run(step: \($0))" }.joined(separator: "\n")),
            SourceFile(path: "Sources/A/B.swift", text: (40..<80).map { "run(step: \($0))" }.joined(separator: "\n")),
        ]
    ) { tree in
        // Lines by number, so that a window of them is cheap to compare.
        var numbers: [String: Int] = [:]
        var seen: [[Int]: String] = [:]
        var found: [Violation] = []
        for file in tree.files where file.isSource {
            let telling = file.lines.enumerated().map { (line: $0.offset, text: $0.element.trimmingSpaces()) }
                .filter { $0.text.utf8.count > 4 && !$0.text.hasPrefix("//") && !$0.text.hasPrefix("import ") }
            guard telling.count >= copyLength else { continue }
            let numbered = telling.map { line in
                let number = numbers[line.text] ?? numbers.count
                numbers[line.text] = number
                return number
            }
            for start in 0...(telling.count - copyLength) {
                let window = Array(numbered[start..<start + copyLength])
                let place = "\(file.path):\(telling[start].line + 1)"
                if let other = seen[window] {
                    found.append(Violation(path: file.path, line: telling[start].line + 1, reason: "also at \(other)"))
                    break
                }
                seen[window] = place
            }
        }
        return found
    }
}

extension String {
    fileprivate func trimmingSpaces() -> String {
        String(drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
    }
}
