import Foundation
import Testing

/// The files of the package, read once.
struct SourceTree: Sendable {
    let files: [SourceFile]

    /// The tree that holds this test.
    static let here: SourceTree = {
        do {
            return try SourceTree(root: root)
        } catch {
            Issue.recordUnreadable(root, error)
            return SourceTree(files: [])
        }
    }()

    static let root: URL = {
        var folder = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
        while folder.path != "/" {
            folder.deleteLastPathComponent()
            if FileManager.default.fileExists(atPath: folder.appendingPathComponent("Package.swift").path) { break }
        }
        return folder
    }()

    /// What is looked at: the project's own text, at the root and in these folders.
    private static let folders = ["Sources", "Tests", "policies", ".ci", "Benchmarks"]
    private static let extensions: Set<String> = [
        "swift", "c", "h", "md", "py", "sh", "yml", "yaml", "json", "txt", "modulemap", "ini", "toml", "cfg", "",
    ]

    init(files: [SourceFile]) {
        self.files = files
    }

    init(root: URL) throws {
        var paths = try FileManager.default.contentsOfDirectory(atPath: root.path)
            .filter { !Self.isFolder(root.appendingPathComponent($0)) }
        for folder in Self.folders {
            let place = root.appendingPathComponent(folder)
            guard Self.isFolder(place) else { continue }
            paths += try FileManager.default.subpathsOfDirectory(atPath: place.path).map { "\(folder)/\($0)" }
        }
        files = try paths.sorted().compactMap { path in
            let place = root.appendingPathComponent(path)
            guard !Self.isFolder(place), Self.isText(path), path != "Package.resolved" else { return nil }
            return SourceFile(path: path, text: try String(contentsOf: place, encoding: .utf8))
        }
    }

    private static func isFolder(_ place: URL) -> Bool {
        // A broken link, or a file that went away meanwhile, is no folder.
        (try? place.resourceValues(forKeys: [.isDirectoryKey]).isDirectory) ?? false
    }

    private static func isText(_ path: String) -> Bool {
        let hidden = path.split(separator: "/").contains { $0 == "__pycache__" || $0 == ".pytest_cache" }
        let isFixture = path.contains("/Fixtures/") || path.contains("/Corpora/")
        return !hidden && !isFixture && extensions.contains((path as NSString).pathExtension)
    }
}
