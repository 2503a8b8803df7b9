import ArgumentParser
import EmbeddedIndex
import Foundation
import Metadata
import Primitives

/// Makes the index of a gateway that holds many objects, from that of a stopped one that holds a single object.
struct FillIndex: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fill", abstract: "Fill the index of a stopped gateway with many objects.",
        discussion: """
            Each is a copy of an object that the gateway stored itself: a version of its own that refers to the same \
            bytes, so that all can be read and every count is right. Keys are PREFIX/GROUP/NUMBER, 100 of a group.
            """)

    @Option(help: "The file of the index.")
    var index: String

    @Option(help: "The bucket.")
    var bucket: String

    @Option(help: "The key of the object that is there.")
    var template: String

    @Option(help: "What the keys begin with.")
    var prefix = "listed"

    @Option(help: "How many objects are made.")
    var objects: Int

    func validate() throws {
        guard objects > 0, !prefix.isEmpty else {
            throw ValidationError("Nothing is to be done.")
        }
    }

    func run() async throws {
        let (old, new) = (index, index + ".filled")
        // What a run has left that was cut short.
        try Self.remove(new)
        let source = try await EmbeddedIndex.open(path: old)
        let target = try await EmbeddedIndex.open(path: new)
        let filler = try await ObjectFiller(
            source, bucket: bucket, template: template, prefix: prefix, count: objects,
            environment: SystemEnvironment())
        try await filler.fill(target)
        await source.close()
        await target.close()
        if let reason = source.suspicion ?? target.suspicion { throw FillError(reason) }
        // Closing has copied the logs into the files.
        try Self.remove(old)
        try FileManager.default.moveItem(atPath: new, toPath: old)
        try Self.remove(new)
    }

    /// Removes an index with what SQLite and its owner keep beside it.
    private static func remove(_ path: String) throws {
        for end in ["", "-wal", "-shm", ".lock"] where FileManager.default.fileExists(atPath: path + end) {
            try FileManager.default.removeItem(atPath: path + end)
        }
    }
}

/// What tells one filled index from another that this program would make.
struct Format: ParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Print the format of the index and the version of what is put into it.")

    func run() {
        print("\(EmbeddedIndex.formatVersion)-\(ObjectFiller.version)")
    }
}

/// Why an index cannot be filled.
struct FillError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
