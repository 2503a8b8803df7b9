import Foundation
import Primitives
import Testing
import TidegateTesting

@testable import Pools

/// Where shards lie follows from a list for good: what was once written is found by nothing else.
@Suite("A list of stores")
struct PlacementTests {
    private static let names = [
        BlobName(epoch: 1, counter: 0, random: 0), BlobName(epoch: 1, counter: 1, random: 0xdead_beef),
        BlobName(epoch: 7, counter: 123_456_789, random: 42), BlobName(epoch: .max, counter: .max, random: .max),
        BlobName(epoch: 3, counter: 1000, random: 1 << 31),
    ]
    private static let apart: [UInt16] = [0, 2, 5, 9, 100, 65_535]
    private static let domains: [UInt16] = [0, 0, 1, 1, 2, 2, 3, 4, 5]

    private static func orders(_ stores: [UInt16], _ domains: [UInt16]?, _ weights: [UInt16]?) -> [[UInt16]] {
        let placement = Placement(epoch: 1, stores: stores, domains: domains, weights: weights)
        return names.map { placement.order(for: $0) }
    }

    /// The vectors were computed by another program, by the text of the page Formats.
    @Test("orders the stores of a blob as it always did", arguments: [nil, 1, 100, 10_000] as [UInt16?])
    func withoutWeights(_ weight: UInt16?) {
        let weights = { (count: Int) in weight.map { Array(repeating: $0, count: count) } }
        #expect(
            Self.orders(Array(0..<6), nil, weights(6)) == [
                [2, 3, 4, 0, 1, 5], [4, 0, 2, 5, 3, 1], [1, 4, 0, 5, 3, 2], [5, 1, 4, 3, 2, 0], [4, 0, 3, 1, 5, 2],
            ])
        #expect(
            Self.orders(Self.apart, nil, weights(6)) == [
                [9, 2, 65_535, 100, 0, 5], [65_535, 0, 2, 9, 5, 100], [65_535, 100, 0, 5, 9, 2],
                [100, 5, 9, 65_535, 2, 0], [0, 65_535, 9, 5, 2, 100],
            ])
        #expect(
            Self.orders(Array(0..<9), Self.domains, weights(9)) == [
                [2, 8, 7, 4, 6, 0, 3, 8, 7, 5, 6, 1], [4, 0, 2, 6, 8, 7, 5, 1, 3, 6, 8, 7],
                [1, 4, 6, 8, 3, 7, 0, 5, 6, 8, 2, 7], [5, 8, 1, 7, 3, 6, 4, 8, 0, 7, 2, 6],
                [4, 0, 3, 8, 7, 6, 5, 1, 2, 8, 7, 6],
            ])
    }

    @Test("orders them by weights on every machine alike")
    func withWeights() {
        #expect(
            Self.orders(Array(0..<6), nil, [100, 100, 200, 300, 50, 1000]) == [
                [2, 3, 5, 0, 1, 4], [5, 2, 4, 0, 3, 1], [5, 1, 3, 4, 0, 2], [5, 3, 1, 2, 0, 4], [3, 5, 4, 0, 1, 2],
            ])
        #expect(
            Self.orders(Self.apart, nil, [1, 10_000, 5, 77, 400, 3]) == [
                [2, 9, 100, 65_535, 5, 0], [2, 100, 9, 65_535, 5, 0], [100, 2, 65_535, 9, 5, 0],
                [100, 2, 9, 5, 65_535, 0], [2, 9, 100, 65_535, 5, 0],
            ])
        #expect(
            Self.orders(Array(0..<9), Self.domains, [100, 300, 100, 100, 50, 200, 1000, 10, 100]) == [
                [6, 2, 8, 1, 5, 7, 6, 3, 8, 0, 4, 7], [6, 4, 0, 2, 8, 7, 6, 5, 1, 3, 8, 7],
                [6, 1, 5, 8, 3, 7, 6, 0, 4, 8, 2, 7], [5, 8, 1, 6, 3, 7, 4, 8, 0, 6, 2, 7],
                [1, 4, 3, 6, 8, 7, 0, 5, 2, 6, 8, 7],
            ])
    }

    @Test("takes a logarithm that is the same everywhere, and no less for a greater hash")
    func logarithms() {
        let frozen: [(UInt64, UInt64)] = [
            (0, 0), (1, 1), (1 << 32, 2), (1 << 40, 370), (1 << 62, 1_782_572_487), (1 << 63, 1 << 32),
            (1 << 63 + 1, 1 << 32 + 1), (3 << 62, 2 << 32), (.max - 1, 63 << 32), (.max, 64 << 32),
            (0x1234_5678_9abc_def0, 457_079_264), (0xfedc_ba98_7654_3210, 33_559_934_675),
        ]
        for (hash, logarithm) in frozen { #expect(StoreRank.logarithm(hash) == logarithm, "\(hash)") }
        var generator = SeededGenerator(seed: 90)
        let hashes = (0..<5000).map { _ in UInt64.random(in: 0...(.max), using: &generator) }.sorted()
        let logarithms = hashes.map(StoreRank.logarithm)
        #expect(logarithms == logarithms.sorted())
        for (hash, logarithm) in zip(hashes, logarithms) {
            let exact = -log2(1 - Double(hash) / 0x1p64)
            #expect(abs(Double(logarithm) / 0x1p32 - exact) < 0x1p-31, "\(hash)")
        }
    }

    private static func blobs(_ count: Int) -> [BlobName] {
        (0..<count).map { BlobName(epoch: 5, counter: UInt64($0), random: UInt32($0) &* 2_654_435_761) }
    }

    @Test("gives each store its share of first places, and of the places of a blob where there are many stores")
    func shares() {
        let weights: [UInt16] = [100, 100, 200, 300, 50, 1000, 100, 150]
        let placement = Placement(epoch: 1, stores: Array(0..<8), weights: weights)
        let blobs = Self.blobs(40_000)
        var firsts = Array(repeating: 0, count: 8)
        for blob in blobs { firsts[Int(placement.order(for: blob)[0])] += 1 }
        for (store, first) in firsts.enumerated() {
            let share = Double(weights[store]) / 2000
            #expect(abs(Double(first) / Double(blobs.count) / share - 1) < 0.08, "\(store): \(first)")
        }
        // Six of sixty stores, of which every other one is twice as large.
        let many = Placement(epoch: 1, stores: Array(0..<60), weights: (0..<60).map { $0 % 2 == 0 ? 100 : 200 })
        var held = [0, 0]
        for blob in Self.blobs(4000) { for store in many.order(for: blob).prefix(6) { held[Int(store) % 2] += 1 } }
        #expect((1.9...2.1).contains(Double(held[1]) / Double(held[0])), "\(held)")
    }

    @Test("moves only what a store wins whose weight grows, and what one loses whose weight shrinks")
    func movement() {
        let stores = Array(UInt16(0)..<10)
        let placements = [100, 150, 50].map { weight in
            Placement(epoch: 1, stores: stores, weights: stores.map { $0 == 4 ? weight : 100 })
        }
        var moved = [0, 0, 0]
        for blob in Self.blobs(4000) {
            let before = placements[0].order(for: blob)
            for (number, placement) in placements.enumerated() {
                let after = placement.order(for: blob)
                // Beside the one that changed, all stand as they did.
                #expect(after.filter { $0 != 4 } == before.filter { $0 != 4 })
                if after[0] != before[0] { moved[number] += 1 }
                if number == 1 { #expect(after[0] == before[0] || after[0] == 4) }
                if number == 2 { #expect(after[0] == before[0] || before[0] == 4) }
            }
        }
        // 150 / 1050 - 100 / 1000, and 100 / 1000 - 50 / 950, of 4000.
        #expect(moved[0] == 0 && (140...205).contains(moved[1]) && (160...220).contains(moved[2]), "\(moved)")
    }

    @Test("gives each domain one shard of a blob whatever the weights, and ranks domains by the best of their stores")
    func domainsWithWeights() {
        let weights: [UInt16] = [1, 10_000, 100, 300, 100, 100, 100, 100, 100]
        let placement = Placement(epoch: 1, stores: Array(0..<9), domains: Self.domains, weights: weights)
        var firsts: [UInt16: Int] = [:]
        var inSecond = [0, 0]
        for blob in Self.blobs(4000) {
            let order = placement.order(for: blob)
            #expect(Set(order.prefix(6).map { Self.domains[Int($0)] }).count == 6)
            firsts[Self.domains[Int(order[0])], default: 0] += 1
            for store in order.prefix(6) where store == 2 || store == 3 { inSecond[Int(store) - 2] += 1 }
        }
        // 10,001 of 10,901 to the first domain; within the second one, one to three.
        #expect((3570...3770).contains(firsts[0] ?? 0), "\(firsts)")
        #expect(inSecond.reduce(0, +) == 4000 && (2850...3150).contains(inSecond[1]), "\(inSecond)")
    }
}
