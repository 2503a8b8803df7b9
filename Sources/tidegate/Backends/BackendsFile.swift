import Configuration
import Foundation
import Logging
import Metadata
import Primitives

/// A copy of what the index knows of backends, beside it in the data directory: without the index nobody would know
/// where the copies of the index are. Credentials stand there sealed, as in the index.
enum BackendsFile {
    private struct Row: Codable {
        var store: UInt16
        /// The record of the position, as the index holds it.
        var record: Data
    }

    private static func path(_ configuration: TidegateConfiguration) -> String { "\(configuration.data)/backends" }

    static func isThere(_ configuration: TidegateConfiguration) -> Bool {
        FileManager.default.fileExists(atPath: path(configuration))
    }

    /// Keeps what the index knows now. Nothing is kept where there was never a backend.
    static func write(_ registry: StoreRegistry, _ launch: Launch) {
        let rows = registry.stores.filter { $0.value.backend != nil }.sorted { $0.key < $1.key }
            .map { Row(store: $0.key, record: Data($0.value.encoded)) }
        guard !rows.isEmpty else { return }
        do {
            let text = String(decoding: try JSONEncoder().encode(rows), as: UTF8.self)
            try PrivateFile.replace(path(launch.configuration), text + "\n")
        } catch {
            launch.logger.error(
                "the copy of what is known of backends could not be kept", metadata: ["reason": "\(error)"])
        }
    }

    /// What was kept last; empty where nothing was.
    ///
    /// - Throws: A sentence, where the file is there and cannot be used.
    static func read(_ launch: Launch) throws(StartError) -> StoreRegistry {
        let path = path(launch.configuration)
        var registry = StoreRegistry()
        guard isThere(launch.configuration) else { return registry }
        do {
            let rows = try JSONDecoder().decode([Row].self, from: Data(try PrivateFile.read(path).utf8))
            for row in rows { registry.stores[row.store] = try StoreRecord(encoded: Array(row.record)) }
            return registry
        } catch {
            throw StartError("`\(path)` cannot be used: \(error)")
        }
    }
}
