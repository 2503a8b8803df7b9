import Audit
import Configuration
import DirectoryStore
import EmbeddedIndex
import FoundationEssentials
import Gateway
import IndexBackup
import Metadata
import Primitives
import Storage
import Workers

/// The steps of a recovery: into a file of its own, which takes the index's name only when it is whole.
struct IndexRestoration {
    private let launch: Launch
    private let path: String
    private let source: RecoverySource?

    /// - Parameter source: where the data directory is lost too; nil where it tells of the stores.
    init(_ launch: Launch, _ source: RecoverySource? = nil) {
        (self.launch, self.source) = (launch, source)
        path = launch.configuration.index.path
    }

    private var temporary: String { path + ".recovering" }

    /// - Returns: What was done, in sentences.
    func run() async throws(StartError) -> [String] {
        guard !FileManager.default.fileExists(atPath: path) else {
            throw StartError("The index \(path) is there. Move it away first, if it is to be replaced.")
        }
        let findings = await StoreFinding.find(directories: launch.configuration.pool.directories)
        var registry = try BackendsFile.read(launch)
        if let source { registry.stores.merge(try await source.find().stores) { $1 } }
        let backends = await openBackends(registry, besides: [:])
        let found = findings + backends.places.values.map(\.finding)
        guard let deployment = try StoreArrangement.deployment(found) else {
            throw StartError(
                (["None of the \(Counted(found.count, "place")) that are known holds a store."] + backends.problems)
                    .joined(separator: "\n"))
        }
        let (places, problems) = await open(findings)
        do throws(StartError) {
            guard (places + backends.places.values).contains(where: { $0.store != nil }) else {
                throw StartError("No store can be read.")
            }
            let lines = try await restore(from: places, backends.places, deployment)
            for place in places { await place.store?.close() }
            return problems + backends.problems + lines
        } catch {
            for place in places { await place.store?.close() }
            // What is missing may lie on the stores that are.
            throw StartError(([error.description] + problems).joined(separator: "\n"))
        }
    }

    /// The stores that can be read, and what is wrong with the others, in sentences.
    private func open(
        _ findings: [StoreFinding], _ vault: BackendVault? = nil
    ) async -> ([LostTail.Place], [String]) {
        var (places, problems): ([LostTail.Place], [String]) = ([], [])
        for finding in findings {
            guard finding.identity != nil else {
                problems.append("\(finding.path): \(finding.problem ?? "no store is there")")
                places.append(LostTail.Place(finding: finding))
                continue
            }
            do throws(StorageError) {
                places.append(
                    LostTail.Place(finding: finding, store: try await finding.open(vault, launch.environment)))
            } catch {
                problems.append("\(finding.path): \(error)")
                places.append(LostTail.Place(finding: finding))
            }
        }
        return (places, problems)
    }

    private func restore(
        from places: [LostTail.Place], _ known: [UInt16: LostTail.Place], _ deployment: [UInt8]
    ) async throws(StartError) -> [String] {
        var (places, backends, problems) = (places, known, [String]())
        while true {
            try removeTemporary()
            let index = try await StartError.awaited(temporary) { [temporary] () throws(IndexOpenError) in
                try await EmbeddedIndex.open(path: temporary)
            }
            do throws(StartError) {
                let report = try await copy(into: index, from: places + backends.values)
                let registry = try await StoreRegistry.read(index)
                let more = await openBackends(registry, besides: backends)
                guard more.places.isEmpty else {
                    // The index names further stores, which may have a later part of it.
                    backends.merge(more.places) { first, _ in first }
                    problems += more.problems
                    await index.close()
                    continue
                }
                let wanted = Set(StoreArrangement.directories(launch.configuration.pool, records: registry.stores))
                places.removeAll { !wanted.contains($0.finding.path) }
                var lines = try await fill(index, report, from: places, backends, deployment)
                if source?.key != nil { lines += try await restoreAccess(index) }
                await index.close()
                for backend in backends.values { await backend.store?.close() }
                try publish()
                return problems + lines + shortage(of: places + backends.values)
            } catch {
                await index.close()
                for backend in backends.values { await backend.store?.close() }
                throw StartError(([error.description] + problems).joined(separator: "\n"))
            }
        }
    }

    /// Brings back who may do what, which the sealing key opens.
    private func restoreAccess(_ index: EmbeddedIndex) async throws(StartError) -> [String] {
        let entry = try await StartError.awaited("The index") { () throws(MetadataError) in
            try await index.values(of: [Keys.keptAccess])[0]
        }
        guard let entry else { return [] }
        let key = try StartError.translated("The sealing key") { () throws(PrivateFileError) in
            try SealingKey.load(from: launch.configuration.data)
        }
        let record = try StartError.translated("The index") { () throws(RecordError) in
            try SealedRecord(encoded: entry.value)
        }
        guard let access = RecoveryKeeping.open(record, key) else {
            return ["What the index keeps of access keys and policies is sealed under another key."]
        }
        return try KeptAccess.restore(access, launch.configuration)
    }

    /// What is to be told where too few stores can be read for an object to be so.
    private func shortage(of places: [LostTail.Place]) -> [String] {
        let (up, needed) = (places.count { $0.store != nil }, launch.configuration.pool.dataShards)
        guard up < min(needed, places.count) else { return [] }
        return [
            "Only \(Counted(up, "store")) of \(places.count) can be read: objects are unreadable until \(needed) of "
                + "them are back."
        ]
    }

    /// The backends that the index names and that are not known yet.
    private func openBackends(
        _ registry: StoreRegistry, besides known: [UInt16: LostTail.Place]
    ) async -> (places: [UInt16: LostTail.Place], problems: [String]) {
        let vault = OpenedIndex.vault(launch, registry)
        let found = await OpenedIndex.find(registry, vault, launch.environment)
        var (places, problems): ([UInt16: LostTail.Place], [String]) = ([:], [])
        for (position, finding) in found.sorted(by: { $0.key < $1.key }) where known[position] == nil {
            let opened = await open([finding], vault)
            places[position] = opened.0.first
            problems += opened.1
        }
        return (places, problems)
    }

    private func copy(
        into index: EmbeddedIndex, from places: [LostTail.Place]
    ) async throws(StartError) -> IndexRecoveryReport {
        try await StartError.awaited("The copies of the index") { () throws(IndexBackupError) in
            try await IndexRecovery.restore(
                from: places.compactMap(\.store), into: index, patience: StorePatience(launch.environment))
        }
    }

    private func fill(
        _ index: EmbeddedIndex, _ report: IndexRecoveryReport, from places: [LostTail.Place],
        _ backends: [UInt16: LostTail.Place], _ deployment: [UInt8]
    ) async throws(StartError) -> [String] {
        var epoch = report.highestEpoch
        for store in (places + backends.values).compactMap(\.store) {
            epoch = max(epoch, try await Self.highestEpoch(in: store))
        }
        // Drawing an epoch above every one that a store has seen keeps the names of blobs from being drawn again.
        let keeper = EpochKeeper(index: index, environment: launch.environment, node: launch.configuration.node)
        let session = try await StartError.awaited("The index") { [epoch] () throws(WorkerError) in
            try await keeper.begin(above: epoch, deployment: deployment, isRecovered: true)
        }
        let commits = WorkerCommits(index: index, epoch: session.workers)
        let tail = LostTail(
            launch: launch, index: index, session: session, commits: commits, directories: places, backends: backends)
        let (found, problem) = await tail.bringBack(after: report.completeThrough)
        try await record(report, found, with: commits)
        return Self.sentences(report) + LostTail.sentences(found, problem) + [
            "Nothing that was stored before is collected, since later commits may be lost; once that is accepted, "
                + "`tidegate collect --after-recovery` gives their bytes up."
        ]
    }

    private func record(
        _ report: IndexRecoveryReport, _ found: TailReport, with commits: WorkerCommits
    ) async throws(StartError) {
        let event = AuditEvent.system(
            "RecoverIndex", id: launch.environment.eventID(), at: launch.environment.now(),
            region: launch.configuration.region,
            parameters: [
                "snapshot": String(report.snapshotVersion), "commits": String(report.commits),
                "completeThrough": String(report.completeThrough), "objectsFromFooters": String(found.objects),
                "partsFromFooters": String(found.parts),
            ])
        _ = try await StartError.awaited("The index") { () throws(WorkerError) in
            try await commits.commit([], [], records: [AuditRecord(event)])
        }
    }

    private static func sentences(_ report: IndexRecoveryReport) -> [String] {
        var lines: [String] = []
        if report.brokenSnapshots > 0 {
            lines.append("Passed over: \(Counted(report.brokenSnapshots, "damaged snapshot")).")
        }
        if !report.damagedCopies.isEmpty {
            lines.append(
                "Found, and replaced by others in reading: \(Counted(report.damagedCopies.count, "damaged part")) of "
                    + "copies.")
        }
        if let next = report.journalGoesOnAt {
            lines.append(
                "The journal is broken after commit \(report.completeThrough) and goes on at \(next): "
                    + "what was committed from there on is missing.")
        }
        lines.append(
            "The index is back as of commit \(report.completeThrough): \(report.entries) entries of a snapshot and "
                + "\(report.commits) later commits.")
        return lines
    }

    /// The greatest writer epoch in the names of a store's blobs. Names sort by epoch, so that halving finds it.
    private static func highestEpoch(in store: any BlobStore) async throws(StartError) -> UInt32 {
        var highest: UInt32 = 0
        for kind in BlobName.Kind.allCases {
            var (low, high) = (UInt64(highest), UInt64(UInt32.max))
            // Whether there is a blob of this kind whose epoch is above `low` is asked again with a closer bound each
            // time.
            while low < high {
                let middle = low + (high - low) / 2
                let bound = BlobName(
                    kind: kind, epoch: UInt32(middle), counter: .max, random: .max,
                    shard: BlobName.Shard(index: .max, attempt: .max))
                let next = try await StartError.awaited("A store") { () throws(StorageError) in
                    try await store.blobs(after: bound, limit: 1)
                }.first
                if let next, next.name.kind == kind { low = UInt64(next.name.epoch) } else { high = middle }
            }
            highest = UInt32(low)
        }
        return highest
    }

    private func removeTemporary() throws(StartError) {
        for suffix in ["", "-wal", "-shm", ".lock"] where FileManager.default.fileExists(atPath: temporary + suffix) {
            do {
                try FileManager.default.removeItem(atPath: temporary + suffix)
            } catch {
                throw StartError("\(temporary)\(suffix), left by an earlier recovery, cannot be removed.")
            }
        }
    }

    private func publish() throws(StartError) {
        do {
            try FileManager.default.moveItem(atPath: temporary, toPath: path)
        } catch {
            throw StartError("\(temporary) cannot be renamed to \(path).")
        }
        try removeTemporary()
    }
}
