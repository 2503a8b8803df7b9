extension Rule {
    private static func numbered(_ count: Int) -> String {
        (0..<count).map { "let a\($0) = \($0)" }.joined(separator: "\n")
    }

    static let sizes: [Rule] = [
        eachFile(
            "a file has at most 400 lines, a test file 800",
            bad: [
                SourceFile(path: "Sources/Gateway/A.swift", text: numbered(402)),
                SourceFile(path: "Tests/GatewayTests/A.swift", text: numbered(802)),
            ],
            good: [
                SourceFile(path: "Sources/Gateway/A.swift", text: numbered(400) + "\n"),
                SourceFile(path: "Tests/GatewayTests/A.swift", text: numbered(800) + "\n"),
            ],
            where: { $0.isSwift || $0.path.hasSuffix(".c") || $0.path.hasSuffix(".h") || $0.path.hasSuffix(".py") }
        ) { file in
            let limit = file.path.hasPrefix("Sources/") ? 400 : 800
            let count = file.lines.last == "" ? file.lines.count - 1 : file.lines.count
            guard count > limit else { return [] }
            return [
                Violation(
                    path: file.path, line: count, reason: "\(count) lines, at most \(limit): split by what it decides")
            ]
        },
        eachFile(
            "a function has at most 70 lines",
            bad: [
                SourceFile(path: "Sources/Gateway/A.swift", text: "func a() {\n\(numbered(70))\n}"),
                SourceFile(path: "Sources/Gateway/A.swift", text: "init(\n    a: Int\n) {\n\(numbered(70))\n}"),
            ],
            good: [
                SourceFile(path: "Sources/Gateway/A.swift", text: "func a() {\n\(numbered(68))\n}"),
                SourceFile(
                    path: "Sources/Gateway/A.swift",
                    text: "protocol P {\n    func a() -> Int\n    func b()\n}\nstruct S {\n\(numbered(80))\n}"),
            ],
            where: { $0.isSwift }
        ) { file in
            Functions.of(file).filter { $0.lines > 70 }.map {
                Violation(path: file.path, line: $0.start + 1, reason: "a function of \($0.lines) lines, at most 70")
            }
        },
        eachFile(
            "a line has at most 120 columns",
            bad: [SourceFile(path: "Sources/Gateway/A.swift", text: "// " + String(repeating: "x", count: 118))],
            good: [SourceFile(path: "Sources/Gateway/A.swift", text: "// " + String(repeating: "x", count: 117))],
            where: { file in [".swift", ".c", ".h", ".py"].contains { file.path.hasSuffix($0) } }
        ) { file in
            file.lines.indices.filter { file.lines[$0].unicodeScalars.count > 120 }.map {
                Violation(path: file.path, line: $0 + 1, reason: "\(file.lines[$0].unicodeScalars.count) columns")
            }
        },
    ]
}
