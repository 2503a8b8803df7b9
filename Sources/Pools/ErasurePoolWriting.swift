package import Erasure
import NIOCore
package import Primitives
package import Storage

extension ErasurePool {
    /// Writes a blob as it comes: each stripe is encoded while the next one arrives, and goes to all stores at once.
    ///
    /// A shard whose store fails or hangs is rebuilt on another store, if need be beside a sibling, never more than m
    /// of the blob on one; one that fits nowhere is named in the locator's exceptions, without a store.
    ///
    /// - Parameters:
    ///   - geometry: Nil for the pool's own.
    ///   - recovery: Called once the body has ended; what it gives, up to 64 KiB, is kept in every shard.
    /// - Returns: Once at least the write quorum of shards is durable.
    /// - Throws: `source` where the body failed or the task was cancelled before its end; `quorum` or `full` where too
    ///   few stores took their shards. Nothing is then left but what stores that hang may still hold.
    package func store(
        _ name: BlobName, _ body: consuming Body, geometry: Geometry? = nil,
        recovery: @escaping @Sendable () -> [UInt8]
    ) async throws(StorageError) -> BlobLocator {
        let geometry = geometry ?? ofNew(configuration.geometry)
        let name = name.whole
        let writing = try Writing(self, name, geometry, expected: body.length)
        let number = watchdog.watch(writing.fan)
        defer { watchdog.unwatch(number) }
        start(writing)
        let footer: ShardFooter
        do throws(StorageError) {
            footer = try await pump(&body, writing, recovery)
        } catch {
            writing.fan.fail(BodyError(.storage, "The upload failed."))
            await discard(writing, await writing.fan.outcomes())
            throw error
        }
        #if PLANTED_BUGS
            if PlantedBug.commitBeforeShards.isPlanted { return writing.locator(writing.homes, length: footer.length) }
        #endif
        return try await conclude(writing, footer)
    }

    /// Moves the body into the fan, and returns the footer once it has ended.
    private func pump(
        _ body: inout Body, _ writing: Writing, _ recovery: @Sendable () -> [UInt8]
    ) async throws(StorageError) -> ShardFooter {
        var builder = writing.builder
        while var bytes = try await Self.next(&body) {
            while bytes.readableBytes > 0 {
                if builder.isFull { try await writing.fan.publish(try Self.seal(&builder)) }
                builder.fill(from: &bytes)
            }
        }
        let last = builder.isEmpty ? nil : try Self.seal(&builder)
        let footer = ShardFooter(length: builder.length, roots: builder.roots, recovery: recovery())
        let stripes = builder.stripes
        let footers = try Self.translated { () throws(ErasureError) in
            var footers: [ByteBuffer] = []
            for checksum in writing.checksums { footers.append(try footer.encoded(checksum, stripes: stripes)) }
            return footers
        }
        writing.fan.finish(last: last, footers: footers)
        return footer
    }

    private static func next(_ body: inout Body) async throws(StorageError) -> ByteBuffer? {
        do throws(BodyError) {
            return try await body.next()
        } catch {
            throw .source(error)
        }
    }

    private static func seal(_ builder: inout StripeBuilder) throws(StorageError) -> SealedStripe {
        do throws(ErasureError) {
            return try builder.seal()
        } catch {
            throw .unavailable(error.description)
        }
    }

    /// Starts the writer of each shard.
    private func start(_ writing: Writing) {
        for home in writing.homes {
            guard let store = home.store else { continue }
            let (fan, index, shard) = (writing.fan, home.index, home.name(of: writing.name))
            fan.began(index, launchWriter(fan, position: index, index, shard, store))
        }
    }

    /// Starts a task that writes what a fan gives for one of its positions to a store.
    func launchWriter(
        _ fan: StripeFan, position: Int, _ index: Int, _ shard: BlobName, _ store: Int
    ) -> Task<Void, Never> {
        launcher { [self] in
            var failure: StorageError?
            do throws(StorageError) {
                _ = try await members.stores[store].write(
                    shard, Body(length: nil, source: ShardSource(fan, shard: position)))
            } catch {
                failure = error
            }
            let isAccepted = fan.complete(position, failure)
            note(store, failure)
            if isAccepted { health.kept(store, now: environment.monotonicNanoseconds()) }
            if failure == nil, !isAccepted { await removeQuietly(shard, from: store) }
        }
    }

    /// Removes a shard that nobody will name. Where that fails too it is an orphan, which the collector finds.
    func removeQuietly(_ shard: BlobName, from store: Int) async {
        do throws(StorageError) {
            try await call(store) { base, _ throws(StorageError) in try await base.delete(shard) }
        } catch {
            note(store, error)
        }
    }

    /// Finds other stores for the shards that failed, and decides whether the write is durable enough.
    private func conclude(_ writing: Writing, _ footer: ShardFooter) async throws(StorageError) -> BlobLocator {
        let errors = await writing.fan.outcomes()
        let now = environment.monotonicNanoseconds()
        let stragglers = writing.fan.stragglers
        for (home, error) in zip(writing.homes, errors) {
            // A store that hangs, or holds up the others, is known to the fan alone.
            guard case .unavailable(let reason) = error, let store = home.store else { continue }
            guard stragglers.contains(home.index) else {
                health.failed(store, now: now)
                continue
            }
            noteStraggler(store, .unavailable(reason))
        }
        var homes = writing.homes
        let failed = errors.indices.filter { errors[$0] != nil }
        let needed = configuration.writeQuorum(for: writing.geometry)
        let durable = errors.count - failed.count
        if !failed.isEmpty, durable >= writing.geometry.dataShards {
            for index in failed { homes[index].store = nil }
            let avoided = Set(failed.compactMap { writing.homes[$0].store })
            homes = await placeElsewhere(failed, homes, avoiding: avoided, writing, footer)
        }
        let least = writing.geometry.dataShards
        guard homes.count(where: { $0.store != nil }) >= needed, durable >= least else {
            await remove(homes, of: writing.name)
            throw StripeFanState.shortage(errors, up: durable, needed: durable < least ? least : needed)
        }
        // The shards beyond those that a read needs are there so that a store may be lost before any repair: also the
        // one that holds several.
        let left = writing.members.leftAfterWorstLoss(homes)
        guard needed == least || left >= least else {
            await remove(homes, of: writing.name)
            throw StripeFanState.shortage(errors, up: left, needed: least)
        }
        noteCrowding(homes, writing.members)
        return writing.locator(homes, length: footer.length)
    }

    /// Rebuilds shards on other stores than those that failed, and on others again where these fail too.
    private func placeElsewhere(
        _ failed: [Int], _ homes: [ShardHome], avoiding avoided: Set<Int>, _ writing: Writing, _ footer: ShardFooter
    ) async -> [ShardHome] {
        var (homes, avoided, failed) = (homes, avoided, failed)
        // More rounds would hold up the answer of a write that has enough.
        for _ in 0..<3 where !failed.isEmpty {
            let targets = targets(
                writing.geometry, writing.order, homes, failed, avoiding: avoided, writing.members)
            let partial = writing.locator(homes, length: footer.length)
            for rebuilt in await rebuild(partial, targets, footer) {
                if rebuilt.error == nil {
                    homes[rebuilt.home.index] = rebuilt.home
                } else if let store = rebuilt.home.store {
                    avoided.insert(store)
                }
            }
            failed = targets.map(\.index).filter { homes[$0].store == nil }
        }
        return homes
    }

    /// Removes what a failed write left: only shards whose writers ended well can be there.
    private func discard(_ writing: Writing, _ errors: [StorageError?]) async {
        await remove(zip(writing.homes, errors).filter { $0.1 == nil }.map(\.0), of: writing.name)
    }

    private func remove(_ homes: [ShardHome], of name: BlobName) async {
        for home in homes {
            if let store = home.store { await removeQuietly(home.name(of: name), from: store) }
        }
    }

    /// Where shards without a home can go: into the failure domain that holds fewest of the blob, never more than m.
    ///
    /// - Parameters:
    ///   - order: The stores by the blob's placement. Those that the current list has not any more are given nothing;
    ///     those that it has besides come last.
    ///   - homes: All shards of the blob; those without a store are not counted.
    ///   - shards: The shards to be placed, each under its next attempt.
    func targets(
        _ geometry: Geometry, _ order: [UInt16], _ homes: [ShardHome], _ shards: [Int], avoiding avoided: Set<Int>,
        _ members: PoolMembers
    ) -> [ShardHome] {
        let now = environment.monotonicNanoseconds()
        let candidates = order + members.current.stores.filter { !order.contains($0) }
        let usable = candidates.map { Int($0) }
            .filter { members.isActive($0) && !avoided.contains($0) && isUsable($0, now) }
        var room = DomainRoom(
            members, homes, most: max(1, geometry.parityShards), isFull: configuration.isFull)
        var targets: [ShardHome] = []
        // First those that can go home: what is put beside a damaged sibling there would make that store hold more
        // than m of them as soon as the sibling is mended, or is read in spite of its damage.
        let natural = { (shard: Int) in Int(order[shard % order.count]) }
        let canGoHome = shards.filter { usable.contains(natural($0)) }
        for shard in canGoHome + shards.filter({ !canGoHome.contains($0) }) where homes[shard].attempt < .max {
            let natural = natural(shard)
            guard let best = room.best(of: usable, preferring: natural) else { continue }
            room.take(best)
            targets.append(ShardHome(index: shard, store: best, attempt: homes[shard].attempt + 1))
        }
        return targets
    }

    /// A first home for each shard of a new blob; stores that failed lately are passed over, unless too few are left,
    /// and so are full ones, unless the blob would then lie in fewer domains.
    func newHomes(_ order: [UInt16], _ geometry: Geometry, _ members: PoolMembers) throws(StorageError) -> [ShardHome] {
        let now = environment.monotonicNanoseconds()
        let (most, least) = (max(1, geometry.parityShards), configuration.leastStoresUp(of: Set(order).count))
        let domains = { (stores: Set<Int>) in Set(stores.map { members.domain(of: $0) }).count }
        let all = domains(Set(order.map { Int($0) }))
        guard all * most >= geometry.shards else { throw .quorum(up: all, needed: geometry.shards) }
        let present = Set(order.map { Int($0) }.filter { !configuration.isAway($0) })
        guard present.count >= least else { throw .quorum(up: present.count, needed: least) }
        var usable = present.filter { !health.isSuspect($0, now: now) }
        // Stores that failed lately are better than a write that cannot succeed without them.
        let needed = configuration.writeQuorum(for: geometry)
        if usable.count < least || domains(usable) * most < needed { usable = present }
        usable = members.roomy(usable, order, shards: geometry.shards, isFull: configuration.isFull)
        var homes = (0..<geometry.shards).map { index in
            let natural = Int(order[index % order.count])
            return ShardHome(index: index, store: usable.contains(natural) ? natural : nil, attempt: 0)
        }
        var room = DomainRoom(members, homes, most: most, isFull: configuration.isFull)
        let candidates = order.map { Int($0) }.filter { usable.contains($0) }
        for index in homes.indices where homes[index].store == nil {
            guard let best = room.best(of: candidates) else { continue }
            room.take(best)
            homes[index].store = best
        }
        return homes
    }
}

/// One write under way.
private struct Writing: Sendable {
    let name: BlobName
    let geometry: Geometry
    let members: PoolMembers
    let placementEpoch: UInt32
    let order: [UInt16]
    let homes: [ShardHome]
    let checksums: [ShardChecksum]
    let builder: StripeBuilder
    let fan: StripeFan

    init(_ pool: ErasurePool, _ name: BlobName, _ geometry: Geometry, expected: Int64?) throws(StorageError) {
        (self.name, self.geometry) = (name, geometry)
        members = pool.members
        let epoch = members.current.epoch
        placementEpoch = epoch
        order = members.current.order(for: name)
        homes = try pool.newHomes(order, geometry, members)
        checksums = (0..<geometry.shards).map { pool.checksum(name, $0) }
        builder = StripeBuilder(geometry, code: try pool.code(geometry), checksums: checksums, expected: expected)
        let deployment = pool.configuration.deployment
        let headers = homes.map { home in
            home.store.map { _ in
                ShardHeader(
                    deployment: deployment, name: home.name(of: name), geometry: geometry, placementEpoch: epoch
                ).encoded
            }
        }
        fan = StripeFan(
            headers: headers, needed: geometry.dataShards,
            areEnough: Self.enough(homes, members, geometry, quorum: pool.configuration.writeQuorum(for: geometry)),
            geometry: geometry, environment: pool.environment, limits: StripeFan.Limits(pool.configuration))
    }

    /// Whether a write can be acknowledged with some of the shards alone, wherever the others will go.
    private static func enough(
        _ homes: [ShardHome], _ members: PoolMembers, _ geometry: Geometry, quorum: Int
    ) -> @Sendable ([Int]) -> Bool {
        { shards in
            guard shards.count >= quorum else { return false }
            let least = geometry.dataShards
            return quorum == least || members.leftAfterWorstLoss(shards.map { homes[$0] }) >= least
        }
    }

    func locator(_ homes: [ShardHome], length: Int64) -> BlobLocator {
        let exceptions = homes.filter { $0.store != Int(order[$0.index % order.count]) || $0.attempt != 0 }.map {
            home in
            ShardException(
                index: UInt8(truncatingIfNeeded: home.index), store: home.store.map { UInt16(truncatingIfNeeded: $0) },
                attempt: home.attempt)
        }
        return BlobLocator(
            name: name, length: length, geometry: geometry, placementEpoch: placementEpoch, exceptions: exceptions)
    }
}
