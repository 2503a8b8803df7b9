import Metadata
import Testing

@Suite("The failure domains of a pool's stores")
struct FailureDomainsTests {
    private static func numbers(
        _ stores: [FailureDomain], at level: FailureDomains.Level? = nil, shards: Int = 6, parity: Int = 2
    ) -> [UInt16]? {
        FailureDomains.numbers(stores, at: level, shards: shards, parity: parity)
    }

    private static func store(_ host: String = "", zone: String = "", provider: String = "") -> FailureDomain {
        FailureDomain(zone: zone, provider: provider, hosts: host.isEmpty ? [] : [host])
    }

    @Test("are the stores themselves, where nothing is said or there are too few of anything wider")
    func flat() {
        #expect(Self.numbers((0..<6).map { _ in FailureDomain() }) == nil)
        // Six directories of one machine, whose loss no placement bears.
        #expect(Self.numbers((0..<6).map { _ in Self.store("here") }) == nil)
        #expect(Self.numbers([], at: .host) == nil)
    }

    @Test("are the stores themselves where the loss of one host, zone or provider takes no more than m shards")
    func narrow() {
        #expect(Self.numbers(["a", "a", "b", "b", "c", "c"].map { Self.store($0) }) == nil)
        #expect(Self.numbers((0..<6).map { Self.store("h\($0)", provider: "p\($0 / 2)") }) == nil)
        #expect(Self.numbers(["here", "here", "a", "b", "c", "d"].map { Self.store($0) }) == nil)
    }

    @Test("are as wide as they have to be, and no wider")
    func wide() {
        // Three stores of one provider would take three shards along.
        let providers = (0..<9).map { Self.store("h\($0)", provider: "p\($0 / 3)") }
        #expect(Self.numbers(providers) == [0, 0, 0, 3, 3, 3, 6, 6, 6])
        // One host has six of ten stores; the others are alone.
        let hosts = (0..<6).map { _ in Self.store("here") } + (0..<4).map { Self.store("h\($0)") }
        #expect(Self.numbers(hosts) == [0, 0, 0, 0, 0, 0, 6, 7, 8, 9])
        // With one shard that may be lost, not even two stores may share a zone.
        let zones = (0..<6).map { Self.store("h\($0)", zone: "z\($0 / 2)") }
        #expect(Self.numbers(zones, shards: 3, parity: 1) == [0, 0, 2, 2, 4, 4])
        #expect(Self.numbers(zones) == nil)
    }

    @Test("are those of the level that is asked for")
    func asked() {
        let stores = (0..<6).map { Self.store("h\($0 / 2)", zone: "z\($0 / 3)", provider: "p") }
        #expect(Self.numbers(stores, at: .store) == nil)
        #expect(Self.numbers(stores, at: .host) == [0, 0, 2, 2, 4, 4])
        // The host of the third and fourth store is in both zones.
        #expect(Self.numbers(stores, at: .zone) == [0, 0, 0, 0, 0, 0])
        #expect(Self.numbers(stores, at: .provider) == [0, 0, 0, 0, 0, 0])
    }

    @Test("are joined by any host that two clusters share")
    func sharedHosts() {
        let clusters = [["a", "b"], ["b", "c"], ["c", "d"], ["e"], ["f"]].map { FailureDomain(hosts: $0) }
        #expect(Self.numbers(clusters, at: .host) == [0, 0, 0, 3, 4])
    }

    @Test("tell zones of one name apart by region, and regions by provider")
    func sameNames() {
        let zones = ["north", "south"].map { FailureDomain(region: $0, zone: "1") }
        #expect(Self.numbers(zones, at: .zone) == nil)
        let regions = ["p", "q"].map { FailureDomain(region: "north", provider: $0) }
        #expect(Self.numbers(regions, at: .region) == nil)
        #expect(Self.numbers([regions[0], regions[0]], at: .region) == [0, 0])
    }
}
