import Foundation
import Primitives
import Testing

/// The published signing suite: `shared/vectors/sigv4/v4`, or what TIDEGATE_VECTORS names, where it is there.
struct PublishedSuite {
    struct Case: Sendable, CustomTestStringConvertible {
        let name: String
        let folder: URL

        var testDescription: String { name }

        func text(_ file: String) throws -> String {
            try String(contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
        }

        func context() throws -> JSON {
            try JSON.parse(Array(try text("context.json").utf8))
        }

        /// The request of a file: its head, with continued lines joined, and its body.
        func request(_ file: String) throws -> (head: RequestHead, body: [UInt8]) {
            var lines = try text(file).replacingOccurrences(of: "\r\n", with: "\n").components(separatedBy: "\n")
            let first = lines.removeFirst()
            let start = first.components(separatedBy: " ")
            var fields: [HeaderFields.Field] = []
            while let line = lines.first, !line.isEmpty {
                lines.removeFirst()
                if line.utf8.first == 0x20, let last = fields.popLast() {
                    fields.append(.init(name: last.name, value: last.value + " " + trimmed(line)))
                } else if let mark = line.firstIndex(of: ":") {
                    let value = trimmed(String(line[line.index(after: mark)...]))
                    fields.append(.init(name: line[..<mark].lowercased(), value: value))
                }
            }
            let body = Array(lines.dropFirst().joined(separator: "\n").utf8)
            let target = start.dropFirst().dropLast().joined(separator: " ")
            return (RequestHead(method: start[0], target: target, fields: HeaderFields(fields)), body)
        }

        private func trimmed(_ text: String) -> String { text.trimmingCharacters(in: .whitespaces) }
    }

    static let folder: URL? = {
        let inside = "sigv4/v4"
        if let named = ProcessInfo.processInfo.environment["TIDEGATE_VECTORS"] {
            return existing(URL(fileURLWithPath: named).appendingPathComponent(inside))
        }
        var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            if let found = existing(folder.appendingPathComponent("shared/vectors/\(inside)")) { return found }
        }
        return nil
    }()

    static let cases: [Case] = {
        guard let folder else { return [] }
        // A folder that cannot be listed has no cases, which the test of their number notices.
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.path)) ?? []
        return names.sorted().map { Case(name: $0, folder: folder.appendingPathComponent($0)) }
    }()

    private static func existing(_ folder: URL) -> URL? {
        FileManager.default.fileExists(atPath: folder.path) ? folder : nil
    }
}
