package import Primitives

/// Collects what is not needed any more: blobs on the trash, orphans on the stores, tombstones of uploads.
package struct Collector: Sendable {
    /// How often each is looked for.
    package struct Settings: Sendable {
        package var trashPeriod: Duration = .seconds(5)
        /// Between passes over a trash on which nothing could be done.
        package var longestTrashPeriod: Duration = .seconds(60)
        package var orphanPeriod: Duration = .seconds(6 * 3600)
        package var uploadPeriod: Duration = .seconds(3600)

        package init() {}
    }

    package let trash: TrashCollector
    package let orphans: OrphanCollector
    package let uploads: UploadCollector
    private let environment: any Environment
    private let settings: Settings
    private let report: @Sendable (WorkerEvent) -> Void

    package init(
        trash: TrashCollector, orphans: OrphanCollector, uploads: UploadCollector, environment: any Environment,
        settings: Settings = Settings(), report: @escaping @Sendable (WorkerEvent) -> Void = { _ in }
    ) {
        (self.trash, self.orphans, self.uploads) = (trash, orphans, uploads)
        (self.environment, self.settings, self.report) = (environment, settings, report)
    }

    /// Collects until it is cancelled or another process has taken over.
    package func run() async {
        var (orphansDue, uploadsDue): (UInt64, UInt64) = (0, 0)
        var pause = settings.trashPeriod
        while !Task.isCancelled {
            do throws(WorkerError) {
                let done = try await trash.pass()
                if done.didWork { report(.trash(done)) }
                pause = done.didWork ? settings.trashPeriod : min(pause * 2, settings.longestTrashPeriod)
                let now = environment.monotonicNanoseconds()
                if now >= uploadsDue {
                    uploadsDue = now &+ settings.uploadPeriod.wholeNanoseconds
                    let forgotten = try await uploads.pass()
                    if forgotten > 0 { report(.uploadsForgotten(forgotten)) }
                }
                if now >= orphansDue {
                    orphansDue = now &+ settings.orphanPeriod.wholeNanoseconds
                    let found = try await orphans.pass()
                    report(.orphans(found))
                    // What was seen for the first time is due sooner than the next look at everything.
                    if found.stores.contains(where: { $0.quarantined > 0 && $0.stopped == nil }) {
                        let soon = min(settings.orphanPeriod, orphans.quarantine)
                        orphansDue = environment.monotonicNanoseconds() &+ soon.wholeNanoseconds
                    }
                }
                try await rest(pause)
            } catch .cancelled {
                return
            } catch .fenced {
                report(.failed(.collector, .fenced, retry: nil))
                return
            } catch {
                pause = min(pause * 2, settings.longestTrashPeriod)
                report(.failed(.collector, error, retry: pause))
                do throws(WorkerError) {
                    try await rest(pause)
                } catch {
                    return  // Cancelled.
                }
            }
        }
    }

    private func rest(_ pause: Duration) async throws(WorkerError) {
        do throws(CancellationError) {
            try await environment.sleep(for: pause)
        } catch {
            throw .cancelled
        }
    }
}
