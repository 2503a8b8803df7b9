import Foundation
import Metadata
import Testing
import TidegateTesting

@testable import EmbeddedIndex

/// Reading the file of an index that somebody else may have open.
@Suite struct IndexViewTests {
    private static func key(_ number: Int) -> Key { Array("key \(number)".utf8) }

    private func put(
        _ numbers: Range<Int>, _ value: [UInt8], _ index: EmbeddedIndex, _ ids: TransactionIDs
    ) async throws {
        for number in numbers {
            _ = try await index.commit(Transaction(id: ids.next(), mutations: [.put(Self.key(number), value)]))
        }
    }

    @Test func aViewShowsOneMomentWhileCommitsGoOn() async throws {
        try await withTemporaryDirectory { directory in
            let (path, ids) = (directory + "/index", TransactionIDs(epoch: 1))
            var options = EmbeddedIndex.Options()
            options.checkpointPages = 8
            let index = try await EmbeddedIndex.open(path: path, options: options)
            try await put(0..<50, [1], index, ids)
            let view = try await IndexView.open(path: path)
            try await put(25..<200, [2], index, ids)
            #expect(view.version == 50)
            let page = try await view.scan(Scan(.everything, limit: 1000))
            #expect(page.entries.count == 50 && page.entries.allSatisfy { $0.value == [1] })
            let values = try await view.values(of: [Self.key(30), Self.key(100)])
            #expect(values.map { $0?.value } == [[1], nil])
            // A writer that goes and one that comes are held up by nothing.
            await index.close()
            let again = try await EmbeddedIndex.open(path: path)
            try await put(0..<1, [3], again, ids)
            #expect(try await view.values(of: [Self.key(0)])[0]?.value == [1])
            await view.close()
            #expect(try await IndexView.open(path: path).values(of: [Self.key(0)])[0]?.value == [3])
            await again.close()
        }
    }

    @Test func aViewOfAnIndexThatWasKilledShowsEveryCommit() async throws {
        try await withTemporaryDirectory { directory in
            let (path, ids) = (directory + "/index", TransactionIDs(epoch: 1))
            let index = try await EmbeddedIndex.open(path: path)
            try await put(0..<20, [1], index, ids)
            // What a killed process leaves is the files as they are.
            for suffix in ["-wal", ""] {
                try FileManager.default.copyItem(atPath: path + suffix, toPath: directory + "/left" + suffix)
            }
            await index.close()
            let view = try await IndexView.open(path: directory + "/left")
            #expect(try await view.scan(Scan(.everything, limit: 100)).entries.count == 20)
            await view.close()
            await #expect(throws: MetadataError.self) { try await view.values(of: [[1]]) }
            let survivor = try await EmbeddedIndex.open(path: directory + "/left")
            #expect(try await survivor.kept().last == 20)
            await survivor.close()
        }
    }

    @Test func whatIsNoIndexIsRefusedAndNothingIsMade() async throws {
        try await withTemporaryDirectory { directory in
            await #expect(throws: IndexOpenError.self) { try await IndexView.open(path: directory + "/missing") }
            #expect(!FileManager.default.fileExists(atPath: directory + "/missing"))
            for (name, content) in [("empty", ""), ("other", String(repeating: "no database ", count: 1000))] {
                let path = "\(directory)/\(name)"
                try content.write(toFile: path, atomically: false, encoding: .utf8)
                await #expect(throws: IndexOpenError.self) { try await IndexView.open(path: path) }
                #expect(try String(contentsOfFile: path, encoding: .utf8) == content)
            }
        }
    }
}
