#if PLANTED_BUGS
    internal import Synchronization

    /// A defect that a test plants, to see that its checks would find one like it. Debug builds alone have them, and
    /// none is planted unless `plant` is called.
    ///
    /// Each stands where its name is asked for with `isPlanted`.
    package enum PlantedBug: String, CaseIterable, Sendable {
        /// A write is acknowledged before its shards are durable.
        case commitBeforeShards = "commit-before-shards"
        /// The collector of orphans takes what writers of live epochs have under way for garbage.
        case collectorIgnoresEpochs = "collector-ignores-epochs"
        /// A repair takes a shard for right because its store took it, without reading it back.
        case repairTrustsWrite = "repair-trusts-write"
        /// A listing may be read from a snapshot that was taken for an earlier one.
        case staleListing = "stale-listing"
        /// Completing an upload does not depend on its still being there.
        case completeRacesAbort = "complete-races-abort"
        /// `If-None-Match` is decided when the request begins, and not by the state that the commit depends on.
        case conditionBeforeCommit = "condition-before-commit"
        /// The outbox's rows go before the audit log has said that their records are durable.
        case outboxBeforeLog = "outbox-before-log"
        /// A part that arrives after its upload was aborted is taken.
        case lateWrite = "late-write"
        /// A commit whose outcome is unknown is taken for one that failed.
        case unknownIsFailed = "unknown-is-failed"
        /// Blobs are deleted although reads that want them are under way.
        case deleteUnderRead = "delete-under-read"

        /// The variable of the environment that names a bug for `tidegate` to plant in itself.
        package static let variable = "TIDEGATE_PLANTED_BUG"

        private static let planted = Mutex<PlantedBug?>(nil)

        /// Plants a bug in this process, in place of the one before; nil for none.
        package static func plant(_ bug: PlantedBug?) {
            planted.withLock { $0 = bug }
        }

        package var isPlanted: Bool { Self.planted.withLock { $0 == self } }
    }
#endif
