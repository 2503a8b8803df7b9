import Configuration
import Foundation
import Testing

@Suite("Files that take their names when they are whole")
struct PrivateDraftTests {
    /// A folder that is there as long as the work takes.
    private func inFolder(_ work: (String) throws -> Void) throws {
        let folder = FileManager.default.temporaryDirectory.path + "/tidegate-draft-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { #expect(throws: Never.self) { try FileManager.default.removeItem(atPath: folder) } }
        try work(folder)
    }

    private func content(_ path: String) -> [UInt8]? { FileManager.default.contents(atPath: path).map { Array($0) } }

    @Test("The name stands for the old content until all of the new one is there")
    func whole() throws {
        try inFolder { folder in
            let path = folder + "/file"
            try "old".write(toFile: path, atomically: false, encoding: .utf8)
            let piece = [UInt8](repeating: 7, count: 100_001)
            var draft = try PrivateDraft(path)
            for _ in 0..<10 { try draft.append(piece) }
            #expect(content(path) == Array("old".utf8))
            try draft.publish()
            #expect(content(path)?.count == 1_000_010)
            #expect(try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int == 0o600)
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["file"])
        }
    }

    @Test("What is given up leaves nothing, and what was left behind is replaced")
    func givenUp() throws {
        try inFolder { folder in
            let path = folder + "/file"
            try "left".write(toFile: path + ".new", atomically: false, encoding: .utf8)
            do {
                var draft = try PrivateDraft(path)
                try draft.append([1])
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
            #expect(throws: PrivateFileError.self) { _ = try PrivateDraft(folder + "/no/file") }
        }
    }

    @Test("A link in the place of the draft is not followed")
    func link() throws {
        try inFolder { folder in
            try "kept".write(toFile: folder + "/kept", atomically: false, encoding: .utf8)
            try FileManager.default.createSymbolicLink(atPath: folder + "/file.new", withDestinationPath: "kept")
            try PrivateFile.replace(folder + "/file", "new")
            #expect(content(folder + "/kept") == Array("kept".utf8))
            #expect(content(folder + "/file") == Array("new".utf8))
        }
    }
}
