extension Rule {
    private static func source(_ text: String, _ path: String = "Sources/Gateway/A.swift") -> SourceFile {
        SourceFile(path: path, text: text)
    }

    /// The targets that read what a stranger wrote; there, text is bytes.
    static let parsers: Set<String> = [
        "Primitives", "XML", "Policy", "S3Wire", "Signing", "Identity", "Metadata", "Server",
    ]

    static let words: [Rule] = [
        banned(
            [
                "Date()", "Date.now", "ContinuousClock", "SuspendingClock", "SystemRandomNumberGenerator", "Task.sleep",
                "UUID()", "clock_gettime", "gettimeofday", "arc4random", "NIODeadline.now()", ".shuffled()",
                ".randomElement()",
            ],
            "time, waiting and chance come from an Environment (Primitives/SystemEnvironment.swift is the real one)",
            bad: [
                source("let t = Date()"), source("try await Task.sleep(for: .seconds(1))"), source("let i = UUID()"),
            ],
            good: [
                source("let t = environment.now() // not Date()"), source("let s = \"Date()\""),
                source("Task.sleep(for: d)", "Sources/Primitives/SystemEnvironment.swift"),
            ]
        ) { $0.isSource && $0.path != "Sources/Primitives/SystemEnvironment.swift" },
        banned(
            ["Character", ".components(separatedBy:", ".split(separator: \"", ".hasPrefix(\"", ".hasSuffix(\""],
            "parsers work on bytes (UTF8View): a Character joins bytes, and String compares by canonical equivalence",
            bad: [
                source("var c: Character", "Sources/S3Wire/A.swift"),
                source("head.hasPrefix(\"x-amz-\")", "Sources/Signing/A.swift"),
            ],
            good: [
                source("var c: Character"), source("text.utf8.split(separator: 1)", "Sources/S3Wire/A.swift"),
                source("// a Character", "Sources/S3Wire/A.swift"),
            ]
        ) { $0.isSource && parsers.contains($0.target ?? "") },
        banned(
            ["@unchecked Sendable", "nonisolated(unsafe)", "@preconcurrency", "unsafeBitCast(", "@_silgen_name"],
            "the compiler's proof stands; keep state in a Mutex or an actor",
            bad: [source("final class A: @unchecked Sendable {}"), source("nonisolated(unsafe) var a = 1")],
            good: [source("final class A: Sendable {} // not @unchecked Sendable")]
        ) { $0.isSwift },
        banned(
            ["Mutex<(@", "Mutex<(()"],
            "a function behind a lock is wrapped anew at each look: keep a structure that holds it",
            bad: [source("let a = Mutex<(@Sendable () -> Void)?>(nil)")],
            good: [source("let a = Mutex<Target?>(nil)"), source("let a = Mutex<(at: Int, text: String)>((0, \"\"))")]
        ) { $0.isSwift },
        banned(
            ["try!", "as!", "fatalError(", "preconditionFailure(", "precondition(false"],
            "an input must not end the process: throw",
            bad: [source("let a = try! b()"), source("let a = b as! C"), source("fatalError()")],
            good: [source("let a = try b()"), source("fatalError()", "Tests/GatewayTests/A.swift")]
        ) { $0.isSource },
        banned(
            ["try?"], "say on the same or the line before why nothing is lost",
            bad: [source("let a = try? b()"), source("// reason\n\nlet a = try? b()")],
            good: [
                source("// Absent is an answer too.\nlet a = try? b()"), source("let a = try? b()  // as good as none"),
            ],
            unlessExplained: true
        ) { $0.isSource },
        banned(
            ["getenv(", "ProcessInfo", "CommandLine.arguments"], "only the executable reads the process's environment",
            bad: [source("let a = ProcessInfo.processInfo.environment")],
            good: [source("ProcessInfo.processInfo", "Sources/tidegate/A.swift")]
        ) { $0.isSource && $0.target != "tidegate" },
        banned(
            ["public ", "open class"], "nothing in an application is public: package",
            bad: [source("public struct A {}")], good: [source("package struct A {}")]
        ) { $0.isSource },
        banned(
            [" print(", "debugPrint("], "log through swift-log with structured metadata",
            bad: [source("    print(\"here\")")],
            good: [source("logger.info(\"here\")"), source("print(1)", "Sources/tidegate/A.swift")]
        ) { $0.isSource && $0.target != "tidegate" },
    ]
}
