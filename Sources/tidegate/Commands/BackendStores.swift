import ArgumentParser
import Configuration

/// `tidegate backend stores`
struct BackendStores: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stores", abstract: "Tell of every store of the pool: directories as well as backends.")

    @Flag(help: "As JSON.")
    var json = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let views = try await access.stores()
            if json {
                print(String(decoding: try AdminJSON.encode(views), as: UTF8.self), terminator: "")
            } else {
                BackendText.print(views)
            }
        }
    }
}

/// `tidegate backend weight`
struct BackendWeight: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "weight", abstract: "Say how much of what is stored from now on a store is to hold.",
        discussion: """
            Stores hold in proportion to their weights, as far as no two shards of an object share a failure domain: \
            where there are as many domains as shards, each domain takes one, and only the stores within it differ. \
            What is stored already stays where it is until `tidegate backend rebalance` moves it.
            """)

    @Argument(help: "The backend, or the position of a directory (`tidegate backend stores`).")
    var name: String

    @Argument(help: "1 to 10000; a store of which nothing was said has 100.")
    var weight: Int

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await BackendCommand.run(options) { access throws(BackendError) in
            let view = try await access.weigh(name, weight)
            let when = access.isLive ? "" : " from the next start on"
            print("Store \(view.store) has the weight \(view.weight)\(when).")
        }
    }
}
