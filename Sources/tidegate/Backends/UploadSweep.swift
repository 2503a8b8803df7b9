import Logging
import Primitives
import RemoteStore
import Storage

/// Aborts, once a day, the multipart uploads that processes of before have left at backends: their parts are kept, and
/// paid for, until somebody does.
struct UploadSweep: Sendable {
    let deployment: Deployment

    private static let period = Duration.seconds(24 * 3600)
    /// No shard is a day under way.
    private static let age = Duration.seconds(24 * 3600)
    /// From the start to the first sweep: not while everything else begins.
    private static let delay = Duration.seconds(600)

    /// Sweeps until it is cancelled.
    func run() async {
        var pause = Self.delay
        while true {
            do throws(CancellationError) { try await deployment.environment.sleep(for: pause) } catch { return }
            for slot in deployment.keeper.slots {
                guard let store = slot.store as? BackendStore else { continue }
                await sweep(store.remote, slot.position)
            }
            pause = Self.period
        }
    }

    private func sweep(_ remote: RemoteStore, _ position: Int) async {
        let logger = deployment.logger
        do throws(StorageError) {
            let count = try await remote.abortUploads(olderThan: Self.age)
            guard count > 0 else { return }
            logger.notice(
                "uploads that were left behind are aborted",
                metadata: ["store": .count(position), "uploads": .count(count)])
        } catch {
            logger.warning(
                "uploads that were left behind could not be looked for",
                metadata: ["store": .count(position), "reason": "\(error)"])
        }
    }
}
