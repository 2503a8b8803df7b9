import Foundation
import FuzzTargets
import Testing

/// What the fuzzer has found once, and what it began with, is fed to the parsers again.
@Suite("Corpora of the fuzzer")
struct CorpusTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .deletingLastPathComponent().appendingPathComponent("Fuzzing/Corpora")
    private static let names = FuzzTarget.all.map(\.name)

    private struct Input {
        let name: String
        let bytes: [UInt8]
    }

    private func corpus(_ name: String) throws -> [Input] {
        let place = Self.folder.appendingPathComponent(name)
        return try FileManager.default.contentsOfDirectory(atPath: place.path).sorted().map {
            Input(name: $0, bytes: [UInt8](try Data(contentsOf: place.appendingPathComponent($0))))
        }
    }

    @Test("holds for every input", arguments: names)
    func replay(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        var outcomes: Set<Bool> = []
        for input in try corpus(name) {
            do {
                outcomes.insert(try target.run(input.bytes))
            } catch {
                Issue.record("\(name)/\(input.name): \(error)")
            }
        }
        // A corpus of which nothing is accepted tests no more than the first lines of a parser.
        #expect(outcomes == [true, false], "\(name): its corpus is empty, or all of it is accepted, or none")
    }

    @Test("takes the examples", arguments: names)
    func examples(_ name: String) throws {
        let target = try #require(FuzzTarget.named(name))
        let examples = try target.examples()
        #expect(try examples.contains { try target.run($0.bytes) })
        #expect(Set(examples.map(\.name)).count == examples.count)
    }

    @Test("is small", arguments: names)
    func size(_ name: String) throws {
        let inputs = try corpus(name)
        #expect(inputs.count <= 200)
        #expect(inputs.reduce(0) { $0 + $1.bytes.count } <= 300 << 10)
    }

    @Test("belongs to a parser")
    func folders() throws {
        let folders = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
        #expect(Set(folders) == Set(Self.names))
    }
}
