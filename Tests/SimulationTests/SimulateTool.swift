import Foundation

/// The executable `simulate`, which the build puts beside the tests: a process of its own, since a seed's course
/// depends on how sets are hashed, and that is settled when a process begins.
struct SimulateTool {
    struct Output {
        var lines: [String]
        var isRight: Bool
    }

    private static var path: URL {
        let tests = URL(fileURLWithPath: CommandLine.arguments[0]).resolvingSymlinksInPath()
        return tests.deletingLastPathComponent().appending(path: "simulate")
    }

    static func run(_ arguments: String...) throws -> Output {
        let process = Process()
        process.executableURL = path
        process.arguments = arguments
        let pipe = Pipe()
        process.standardOutput = pipe
        try process.run()
        let output = pipe.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        let isRight = process.terminationReason == .exit && process.terminationStatus == 0
        return Output(
            lines: String(decoding: output, as: UTF8.self).split(separator: "\n").map(String.init), isRight: isRight)
    }
}
