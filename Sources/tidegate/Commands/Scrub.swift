import ArgumentParser
import Audit
import Configuration
import IndexBackup
import Logging
import Primitives
import Workers

/// `tidegate scrub`
struct Scrub: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Read every shard, and repair what is damaged.",
        discussion: """
            Works while no gateway serves the same data; a gateway scrubs by itself. Exits with 0 where every shard \
            was right, and with 1 where some were not: those that could be repaired are then right, which a second \
            scrub shows.
            """)

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        try await OfflineCommand.run(options) { deployment, report in
            let parts = WorkerParts(deployment, report)
            var settings = Scrubber.Settings()
            settings.bytesPerSecond = nil
            let bar = ProgressLine()
            let found = try await parts.scrubber(settings).pass { done in
                bar.show("\(done.blobs) blobs, \(done.bytes) bytes, \(done.damagedShards) damaged shards")
            }
            bar.clear()
            try await deployment.damage.flush(deployment.commits)
            while try await parts.repair.repairPass() > 0 {
                bar.show("repairing")
            }
            // Whoever scrubs by hand has mended what was in the way, and does not wait for the hour of the next try.
            try await parts.repair.repairWhatIsPutOff()
            bar.clear()
            // What was replaced goes once the journal has the repairs.
            try await deployment.backup.flush()
            try await parts.repair.repairPass()
            print(
                "\(Counted(found.blobs, "blob")), \(Counted(found.bytes, "byte")), "
                    + "\(Counted(found.soundShards, "sound shard")), \(found.damagedShards) damaged, "
                    + "\(found.crowdedShards) beside a sibling, "
                    + "\(found.unreachableShards) unreachable, \(Counted(found.unreadableBlobs, "unreadable blob"))")
            return found.isClean
        }
    }
}

/// `tidegate collect`
struct Collect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Remove blobs and shards that nothing refers to.",
        discussion: """
            Works while no gateway serves the same data; a gateway collects by itself, and leaves what it finds alone \
            for a while. Exits with 0 where nothing is left over, and with 1 otherwise.
            """)

    @Flag(help: "Give up also what was stored before the index was recovered and is named by nothing since then.")
    var afterRecovery = false

    @OptionGroup(title: "Configuration")
    var options: ConfigurationOptions

    func run() async throws {
        let acceptsLoss = afterRecovery
        try await OfflineCommand.run(options) { deployment, report in
            let parts = WorkerParts(deployment, quarantine: .zero, report)
            if acceptsLoss {
                let record = AuditRecord(
                    .system(
                        "AcceptIndexLoss", id: deployment.environment.eventID(), at: deployment.environment.now(),
                        region: deployment.launch.configuration.region))
                try await parts.collector.orphans.acceptLoss(records: [record])
            }
            // A blob goes once the journal has the commit that condemned it.
            var removed = Removed()
            repeat { try await deployment.backup.flush() } while removed.add(try await parts.collector.trash.pass())
            // The first pass remembers the orphans, and the second one, which finds them again, removes them.
            removed.add(try await parts.collector.orphans.pass())
            removed.add(try await parts.collector.orphans.pass())
            let left = try await parts.collector.orphans.pass()
            removed.add(left)
            let isClean = Self.summarize(left)
            print(removed)
            return isClean
        }
    }

    /// Prints what is left, and says whether nothing is.
    private static func summarize(_ left: OrphanReport) -> Bool {
        let orphans = left.stores.reduce(0) { $0 + $1.orphans + $1.surplus }
        let kept = left.stores.reduce(0) { $0 + $1.kept }
        let stopped = left.stores.filter { $0.stopped != nil }
        for store in stopped { print("store \(store.number): \(store.stopped ?? "")") }
        print("\(Counted(left.stores.reduce(0) { $0 + $1.shards }, "shard")), \(Counted(orphans, "orphan")) left")
        if kept > 0 {
            print("\(Counted(kept, "shard")) kept since the index was recovered; --after-recovery gives them up")
        }
        return orphans == 0 && kept == 0 && stopped.isEmpty
    }
}

/// What a collection has removed.
private struct Removed: CustomStringConvertible {
    private var (blobs, shards, bytes): (Int, Int, Int64) = (0, 0, 0)
    private var (orphans, orphanBytes): (Int, Int64) = (0, 0)

    /// Counts a pass over the trash, and returns whether it did something, so that another may do more.
    mutating func add(_ report: TrashReport) -> Bool {
        blobs += report.deleted
        shards += report.deletedShards
        bytes += report.deletedBytes
        return report.didWork
    }

    mutating func add(_ report: OrphanReport) {
        orphans += report.stores.reduce(0) { $0 + $1.deleted }
        orphanBytes += report.stores.reduce(0) { $0 + $1.deletedBytes }
    }

    var description: String {
        "removed: \(Counted(blobs, "blob")) of \(Counted(bytes, "byte")) in \(Counted(shards, "shard")), and "
            + "\(Counted(orphans, "orphaned shard")) of \(Counted(orphanBytes, "byte"))"
    }
}

/// What commands that work beside a stopped gateway have in common.
enum OfflineCommand {
    typealias Work =
        @Sendable (Deployment, _ report: @escaping @Sendable (WorkerEvent) -> Void) async throws -> Bool

    /// Opens the deployment, does the work, and closes everything; ends with 1 where the work says false or fails.
    static func run(_ options: ConfigurationOptions, _ work: Work) async throws {
        let launch = try Launch(options)
        do {
            try await ExistingDeployment.require(launch.configuration)
            let deployment = try await Deployment.open(launch) { reason in
                StandardError.write("The index cannot be trusted any more: \(reason)\n")
            }
            let logger = launch.logger
            let isGood: Bool
            do {
                isGood = try await work(deployment) { event in
                    if case .failed(let worker, let error, _) = event {
                        logger.warning(
                            "a step failed", metadata: ["worker": "\(worker.rawValue)", "reason": "\(error)"])
                    }
                }
                try await deployment.backup.flush()
            } catch {
                await deployment.close()
                throw error
            }
            await deployment.close()
            if !isGood { throw ExitCode.failure }
        } catch let error as ExitCode {
            throw error
        } catch {
            StandardError.write("\(error)\n")
            throw ExitCode.failure
        }
    }
}
