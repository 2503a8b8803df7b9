import Erasure
import NIOCore
import Primitives
package import Storage

extension ErasurePool {
    /// Reads every byte of every shard of a blob, and says how each is.
    ///
    /// - Throws: Only where the locator itself is impossible.
    package func verify(_ locator: BlobLocator) async throws(StorageError) -> [ShardStatus] {
        _ = try Self.translated { () throws(ErasureError) in
            try ShardLayout(locator.geometry, length: locator.length)
        }
        var statuses = await scrub(locator, homes(locator))
        // Shards that agree with themselves but not with most of the others are of another writing.
        let footers = statuses.compactMap(\.footer)
        let common = footers.max { left, right in
            footers.count { $0 == left } < footers.count { $0 == right }
        }
        for index in statuses.indices where statuses[index].state == .sound && statuses[index].footer != common {
            statuses[index].state = .corrupt("its footer is not that of the other shards")
        }
        markCrowded(&statuses, locator)
        return statuses
    }

    /// Scrubs shards side by side.
    func scrub(_ locator: BlobLocator, _ homes: [ShardHome]) async -> [ShardStatus] {
        var calls = StoreCalls<ShardStatus>(self)
        let present = homes.filter { $0.store != nil }
        for home in present {
            guard let store = home.store else { continue }
            calls.begin(store) { [self] base, result throws(StorageError) in
                try await scrub(locator, home, base) { [environment] in
                    result.touch(now: environment.monotonicNanoseconds())
                }
            }
        }
        var statuses: [ShardStatus] = homes.filter { $0.store == nil }.map { ShardStatus($0, .missing) }
        for (home, call) in zip(present, await calls.results()) {
            switch call.result {
            case .success(let status): statuses.append(status)
            case .failure(let error):
                let state: ShardStatus.State =
                    switch error {
                    case .notFound: .missing
                    case .corrupt(let detail): .corrupt(detail)
                    case .invalidRange: .corrupt("it is too short")
                    default: .unavailable(error.description)
                    }
                statuses.append(ShardStatus(home, state))
            }
        }
        return statuses.sorted { $0.index < $1.index }
    }

    private func scrub(
        _ locator: BlobLocator, _ home: ShardHome, _ store: any BlobStore, touch: @escaping @Sendable () -> Void
    ) async throws(StorageError) -> ShardStatus {
        let layout = try Self.translated { () throws(ErasureError) in
            try ShardLayout(locator.geometry, length: locator.length)
        }
        let (name, checksum) = (home.name(of: locator.name), checksum(locator.name, home.index))
        var sink: any BodySink = ScrubSink(layout, checksum, touch: touch)
        try await store.read(name, range: 0..<layout.footerOffset + Int64(ScrubSink.footerPrefix), into: &sink)
        guard let found = sink as? ScrubSink, found.isWhole else { throw .corrupt("the store gave too few bytes") }
        var status = ShardStatus(home, .sound)
        status.root = found.root
        status.corruptStripes = found.corruptStripes
        do throws(StorageError) {
            status.footer = try await footer(locator, store, name, checksum, start: found.footerStart)
        } catch .corrupt(let detail) {
            status.state = .corrupt(detail)
        } catch .invalidRange {
            status.state = .corrupt("its footer is too short")
        }
        if let footer = status.footer, footer.length != locator.length || footer.roots[home.index] != found.root {
            status.state = .corrupt("its footer does not fit its cells")
        }
        do throws(ErasureError) {
            let header = try ShardHeader(decoding: found.header)
            if header.name != name || header.geometry != locator.geometry
                || header.deployment != configuration.deployment
            {
                status.state = .corrupt("its header is that of another shard")
            }
        } catch {
            status.state = .corrupt(error.description)
        }
        if !found.corruptStripes.isEmpty {
            status.state = .corrupt("cells fail their checks, the first in stripe \(found.corruptStripes[0])")
        }
        return status
    }

    /// Reads the footer of a shard, whose first bytes say how long it is.
    private func footer(
        _ locator: BlobLocator, _ store: any BlobStore, _ name: BlobName, _ checksum: ShardChecksum, start: ByteBuffer
    ) async throws(StorageError) -> ShardFooter {
        guard let recovery = start.getInteger(at: start.readerIndex + 24, as: UInt32.self),
            recovery <= ShardFooter.mostRecovery
        else { throw .corrupt("its footer is not one") }
        let offset = try Self.translated { () throws(ErasureError) in
            try ShardLayout(locator.geometry, length: locator.length).footerOffset
        }
        let size = Int64(ShardFooter.size(shards: locator.geometry.shards, recovery: Int(recovery)))
        let bytes = try await Self.bytes(store, name, range: offset..<offset + size)
        return try Self.translated { () throws(ErasureError) in
            try ShardFooter(decoding: bytes, checksum, geometry: locator.geometry)
        }
    }

    /// A small range of a blob of a store, whole.
    static func bytes(
        _ store: any BlobStore, _ name: BlobName, range: Range<Int64>
    ) async throws(StorageError) -> ByteBuffer {
        var sink: any BodySink = BufferingSink(limit: range.count)
        do throws(StorageError) {
            try await store.read(name, range: range, into: &sink)
        } catch .sink {
            throw .corrupt("the store gave too many bytes")
        }
        guard let bytes = (sink as? BufferingSink)?.bytes, bytes.readableBytes == range.count else {
            throw .corrupt("the store gave too few bytes")
        }
        return bytes
    }

    /// Finds the shards that are missing, corrupt, out of reach or beside a sibling without need, computes them from
    /// the others and writes them anew; one counts as repaired only once it was read back and every byte of it was
    /// right.
    ///
    /// Each is written under its next attempt, on its store or, where that does not answer, on another one. What it
    /// replaces stays until `discard`, since locators in the index still name it.
    ///
    /// - Throws: `notFound`, `corrupt` or `quorum` where no footer can be read.
    package func repair(_ locator: BlobLocator) async throws(StorageError) -> RepairReport {
        let statuses = try await verify(locator)
        let broken = statuses.filter { $0.state != .sound }
        guard !broken.isEmpty else { return RepairReport(locator) }
        guard
            let footer = statuses.first(where: { $0.state == .sound || $0.state.isToMove })?.footer
                ?? statuses.compactMap(\.footer).first
        else { throw Self.lost(statuses, needed: locator.geometry.dataShards) }
        return await renew(locator, broken, footer)
    }

    func renew(_ locator: BlobLocator, _ broken: [ShardStatus], _ footer: ShardFooter) async -> RepairReport {
        var report = RepairReport(locator)
        let rebuilt = await rebuild(locator, broken, footer)
        for status in broken {
            guard let new = rebuilt.first(where: { $0.home.index == Int(status.index) })?.home,
                let store = new.store
            else {
                report.unrepaired.append(status)
                continue
            }
            report.repairs.append(
                RepairReport.Repair(
                    index: status.index, before: status.state, rootBefore: status.root,
                    rootAfter: footer.roots[new.index], store: UInt16(truncatingIfNeeded: store),
                    attempt: new.attempt))
            if let old = status.store {
                report.superseded.append(
                    (Int(old), ShardException(index: status.index, store: old, attempt: status.attempt)))
            }
            report.locator.exceptions.removeAll { $0.index == status.index }
            report.locator.exceptions.append(
                ShardException(index: status.index, store: UInt16(truncatingIfNeeded: store), attempt: new.attempt))
        }
        report.locator.exceptions.sort { $0.index < $1.index }
        noteCrowding(self.homes(report.locator), members)
        return report
    }

    /// Writes the broken shards anew, each where there is room for it.
    ///
    /// - Returns: Those that are durable and right.
    private func rebuild(_ locator: BlobLocator, _ broken: [ShardStatus], _ footer: ShardFooter) async -> [Rebuilt] {
        var (homes, avoided, rebuilt) = (homes(locator), Set<Int>(), [Rebuilt]())
        for status in broken {
            homes[Int(status.index)].store = nil
            if case .unavailable = status.state, let store = status.store { avoided.insert(Int(store)) }
        }
        let members = members
        let crowded = Set(broken.filter { $0.state == .crowded }.map { Int($0.index) })
        // What moves to where the current list has it goes nowhere else.
        let isBalanced = broken.contains { $0.state == .elsewhere }
        let order = isBalanced ? members.current.order(for: locator.name) : order(locator)
        var (wanted, wrongRounds) = (broken.map { Int($0.index) }, 0)
        // A name can have other bytes: of a repair that was cut short before its commit, and damaged since. No store
        // replaces them, so that the attempt after it is taken. A store that takes nothing is passed over, and one that
        // has given back other bytes three times: it would go on.
        while !wanted.isEmpty, wrongRounds < 6 {
            let free = targets(locator.geometry, order, homes, wanted, avoiding: avoided, members)
            // What is right already moves only to where it is alone: it would be moved in circles otherwise.
            let targets = (isBalanced ? chosen(free, beside: homes, locator, members) : free).filter { target in
                guard crowded.contains(target.index), let store = target.store else { return true }
                let others = (homes + free).filter { $0.index != target.index }
                return members.held(others)[members.domain(of: store)] == nil
            }
            wanted = []
            var wrong = Set<Int>()
            let areCopied = broken.allSatisfy(\.state.isToMove)
            for new in await rebuild(readable(locator, broken), targets, footer, areCopied: areCopied) {
                switch new.error {
                case nil:
                    rebuilt.append(new)
                    homes[new.home.index] = new.home
                case .corrupt where !new.isOfOthers:
                    if let store = new.home.store { wrong.insert(store) }
                    homes[new.home.index].attempt = new.home.attempt
                    wanted.append(new.home.index)
                case .full, .unavailable:
                    if let store = new.home.store { avoided.insert(store) }
                    wanted.append(new.home.index)
                default: break  // Too little of the blob can be read, wherever the shard were to go.
                }
            }
            if !wrong.isEmpty { wrongRounds += 1 }
            if wrongRounds == 3 { avoided.formUnion(wrong) }
        }
        return rebuilt
    }

    /// Removes what a repair replaced. To be called once the index has the report's locator.
    ///
    /// - Throws: `unavailable` where a store could not be reached; the shard there is then an orphan.
    package func discard(_ report: RepairReport) async throws(StorageError) {
        let homes = report.superseded.map { store, old in
            ShardHome(index: Int(old.index), store: store, attempt: old.attempt)
        }
        try await remove(report.locator.name, homes)
    }

    /// The locator for reading during a repair: shards that are not there at all are not tried.
    private func readable(_ locator: BlobLocator, _ broken: [ShardStatus]) -> BlobLocator {
        var locator = locator
        for status in broken {
            switch status.state {
            case .corrupt, .crowded, .leaving, .elsewhere, .sound: continue
            case .missing, .unavailable: break
            }
            locator.exceptions.removeAll { $0.index == status.index }
            locator.exceptions.append(ShardException(index: status.index, store: nil, attempt: status.attempt))
        }
        return locator
    }

    private static func lost(_ statuses: [ShardStatus], needed: Int) -> StorageError {
        if statuses.allSatisfy({ $0.state == .missing }) { return .notFound }
        let sound = statuses.count { $0.state == .sound || $0.state.isToMove }
        let isAway = statuses.contains { if case .unavailable = $0.state { true } else { false } }
        if isAway { return .quorum(up: sound, needed: needed) }
        return .corrupt("no shard has a sound footer")
    }
}
