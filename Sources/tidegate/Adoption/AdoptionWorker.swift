import Gateway
import Logging
import Metadata
import Primitives
import RemoteStore
import Storage
import Workers

/// Shows the objects of adopted buckets, and moves them into the pool where that is asked for; beside requests.
struct AdoptionWorker: Sendable {
    let deployment: Deployment
    let adoption: Adoption

    /// Objects that are asked for, or moved, side by side.
    private static let width = 8
    /// How often it is looked whether there is something to do.
    private static let period = Duration.seconds(2)
    /// After a pass that failed, or that could not move everything.
    private static let pause = Duration.seconds(30)

    init(_ deployment: Deployment, _ gateway: Gateway) {
        self.deployment = deployment
        adoption = Adoption(
            gateway.index, commits: gateway.commits, storage: gateway.storage, environment: gateway.environment,
            region: gateway.settings.region)
    }

    /// Runs until it is cancelled.
    func run() async {
        while !Task.isCancelled {
            var pause = Self.period
            do {
                for (number, record) in try await StoreRegistry.read(deployment.index).sources.sorted(by: {
                    $0.key < $1.key
                }) {
                    switch record.standing {
                    case .listing: try await show(number, record)
                    case .moving: if try await !move(number) { pause = Self.pause }
                    case .shown, .detached: break
                    }
                }
            } catch is CancellationError {
                return
            } catch {
                deployment.logger.error(
                    "an adopted bucket could not be gone through; it is tried again", metadata: ["reason": "\(error)"])
                pause = Self.pause
            }
            do throws(CancellationError) { try await deployment.environment.sleep(for: pause) } catch { return }
        }
    }

    // MARK: Showing

    /// Goes through a whole bucket. What was shown before is passed quickly, so that a start begins anew.
    private func show(_ number: UInt16, _ record: SourceRecord) async throws {
        guard let store = deployment.adopted.store(number) else {
            throw StorageError.unavailable("\(record.backend.name): its credentials cannot be opened")
        }
        var (next, counts): (String?, Counts) = (nil, Counts())
        repeat {
            let page = try await store.objectKeys(from: next)
            try await sideBySide(page.keys) { key in
                try await show(key, from: store, number, record.bucket)
            } each: {
                counts.add($0)
            }
            next = page.next
            guard try await note(number, counts, isWhole: next == nil) else { return }
        } while next != nil
        deployment.logger.notice(
            "an adopted bucket is shown",
            metadata: [
                "backend": "\(record.backend.name)", "bucket": "\(record.bucket)",
                "objects": .count(counts.objects), "passed-over": .count(counts.passedOver),
            ])
    }

    private struct Counts {
        var objects = 0
        var bytes: Int64 = 0
        var passedOver = 0

        mutating func add(_ shown: (isThere: Bool, bytes: Int64)) {
            objects += shown.isThere ? 1 : 0
            bytes += shown.bytes
            passedOver += shown.isThere ? 0 : 1
        }
    }

    private func show(
        _ bytes: [UInt8], from store: RemoteStore, _ number: UInt16, _ bucket: String
    ) async throws -> (isThere: Bool, bytes: Int64) {
        guard let key = ObjectKey(bytes) else { return (false, 0) }
        if let known = try await adoption.standing(of: key, in: bucket, from: number), known == .passedOver {
            return (false, 0)
        }
        guard let object = try await store.describe(bytes) else { return (false, 0) }
        let outcome = try await adoption.show(
            AdoptedObject(
                key: key, size: object.size, etag: object.etag, isMD5: object.isMD5, modified: object.modified,
                headers: object.headers, metadata: object.metadata,
                tags: object.tags.map { ObjectTag(key: $0.key, value: $0.value) }),
            in: bucket, from: number)
        return (outcome != .passedOver, outcome == .passedOver ? 0 : object.size)
    }

    /// Keeps how far a pass is.
    ///
    /// - Returns: False where something else was decided of the bucket meanwhile.
    private func note(_ number: UInt16, _ counts: Counts, isWhole: Bool) async throws -> Bool {
        let key = Keys.source(number)
        guard let entry = try await deployment.index.values(of: [key])[0] else { return false }
        var record = try SourceRecord(encoded: entry.value)
        guard record.standing == .listing else { return false }
        (record.objects, record.bytes) = (UInt64(counts.objects), UInt64(clamping: counts.bytes))
        record.passedOver = UInt64(counts.passedOver)
        if isWhole { record.standing = .shown }
        _ = try await deployment.commits.commit([.version(key, entry.version)], [.put(key, record.encoded)])
        return true
    }

    // MARK: Moving

    /// - Returns: Whether nothing is left.
    private func move(_ number: UInt16) async throws -> Bool {
        var (last, moved, failed): (BlobName?, Int, (any Error)?) = (nil, 0, nil)
        deployment.adopted.note(left: try await count(number), of: number)
        repeat {
            let page = try await adoption.runs(of: number, after: last)
            last = page.last
            try await sideBySide(page.runs) { run -> (any Error)? in
                do {
                    _ = try await adoption.move(run)
                    return nil
                } catch {
                    return error
                }
            } each: { error in
                if let error { failed = error } else { moved += 1 }
            }
            deployment.adopted.note(left: max(0, (deployment.adopted.left(of: number) ?? 0) - moved), of: number)
        } while last != nil
        let left = try await count(number)
        deployment.adopted.note(left: left, of: number)
        if let failed {
            deployment.logger.error(
                "not every adopted object could be moved; it is tried again",
                metadata: ["source": .count(Int(number)), "left": .count(left), "reason": "\(failed)"])
        } else if moved > 0 {
            deployment.logger.notice(
                "adopted objects were moved into the pool",
                metadata: ["source": .count(Int(number)), "runs": .count(moved), "left": .count(left)])
        }
        return left == 0
    }

    private func count(_ number: UInt16) async throws -> Int {
        try await Adoption.countRuns(of: number, in: deployment.index)
    }

    private func sideBySide<Item: Sendable, Result: Sendable>(
        _ items: [Item], _ work: @escaping @Sendable (Item) async throws -> Result, each: (Result) -> Void
    ) async throws {
        try await withThrowingTaskGroup(of: Result.self) { group in
            var rest = items[...]
            for item in rest.prefix(Self.width) { group.addTask { try await work(item) } }
            rest = rest.dropFirst(Self.width)
            while let result = try await group.next() {
                each(result)
                try Task.checkCancellation()
                if let item = rest.popFirst() { group.addTask { try await work(item) } }
            }
        }
    }
}
