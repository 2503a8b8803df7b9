import ArgumentParser
import Configuration

/// `tidegate backend capacity`
struct BackendCapacity: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "capacity", abstract: "Say how much a backend can hold.",
        discussion: """
            A store that is full by pool.full-above is given new shards only where the others have no room. Of a \
            directory its file system says how much it can hold.
            """)

    @Argument(help: "The backend.")
    var name: String

    @Argument(help: "Such as 10TiB, or none.")
    var capacity: String

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let bytes = capacity.utf8.elementsEqual("none".utf8) ? 0 : try Self.bytes(capacity)
            let view = try await access.limit(name, bytes)
            print("Store \(view.store) can hold \(view.capacityBytes.map(BackendText.size) ?? "what it takes").")
        }
    }

    /// The bytes that a size means.
    static func bytes(_ text: String) throws(BackendError) -> Int64 {
        guard let bytes = ValueText.parseSize(text), bytes > 0 else {
            throw .invalid("A capacity is a number of bytes, KiB, MiB, GiB, TiB or PiB, such as 10TiB.")
        }
        return bytes
    }
}
