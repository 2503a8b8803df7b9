import Foundation
import Metadata
import Testing
import TidegateTesting

@Suite("The failure domains of a Ceph cluster")
struct CrushDomainsTests {
    private static func map(_ text: String) throws -> CrushMap {
        try JSONDecoder().decode(CrushMap.self, from: Data(text.utf8))
    }

    private static func domains(
        _ rules: String..., in text: String = CrushSample.dump, cluster: String? = "c"
    ) throws -> [String] {
        try CrushDomains(map(text)).domains(ofRules: rules, cluster: cluster)
    }

    @Test("are the hosts of all OSDs that a rule can choose, in a subtree, of a class, without weight too")
    func hosts() throws {
        let all = ["alpha", "beta", "delta", "gamma"].map { "c/host/\($0)" }
        #expect(try Self.domains("replicated_rule") == all)
        #expect(try Self.domains("ssd") == ["c/host/alpha", "c/host/gamma"])
        #expect(try Self.domains("north") == ["c/host/alpha", "c/host/beta"])
    }

    @Test("are what a rule keeps apart too, and OSDs that stand on no host")
    func widerAndNarrower() throws {
        let racks = try Self.domains("racks")
        #expect(racks.filter { $0.contains("/rack/") } == ["c/rack/north", "c/rack/south"])
        #expect(racks.filter { $0.contains("/host/") }.count == 4)
        #expect(try Self.domains("archive") == ["c/host/omega", "c/osd/8"])
        #expect(try Self.domains("two_takes") == ["c/host/beta", "c/host/omega"])
    }

    @Test("of several rules are those of each, and bear the numbers of buckets where no cluster is named")
    func several() throws {
        #expect(try Self.domains("ssd", "north").count == 3)
        #expect(try Self.domains("ssd", cluster: nil) == ["crush/host/alpha/-2", "crush/host/gamma/-4"])
        #expect(try Self.domains("archive", cluster: nil).last == "crush/osd/8")
    }

    @Test("make one domain of two backends whose rules can choose one host, and two of those whose rules cannot")
    func together() throws {
        let stores = try [["ssd"], ["north"], ["archive"], ["racks"]].map { rules in
            FailureDomain(hosts: try CrushDomains(Self.map(CrushSample.dump)).domains(ofRules: rules, cluster: "c"))
        }
        func numbers(_ chosen: Int...) -> [UInt16]? {
            FailureDomains.numbers(chosen.map { stores[$0] }, at: .host, shards: 6, parity: 2)
        }
        #expect(numbers(0, 1) == [0, 0] && numbers(0, 2) == nil && numbers(1, 2) == nil)
        #expect(numbers(2, 0, 1, 3) == [0, 1, 1, 1])
        let elsewhere = FailureDomain(hosts: try Self.domains("ssd", cluster: "other"))
        #expect(FailureDomains.numbers([stores[0], elsewhere], at: .host, shards: 6, parity: 2) == nil)
    }

    // MARK: What no cluster gives

    private static func refusal(_ text: String, _ rules: String...) -> String? {
        do {
            _ = try CrushDomains(map(text)).domains(ofRules: rules, cluster: nil)
            return nil
        } catch {
            return "\(error)"
        }
    }

    /// A map of hosts with the items that are given, under a rule `r` with the steps that are given.
    private static func text(_ buckets: [Int: [Int]], _ steps: String = take + choose + emit) -> String {
        let list = buckets.map { id, items in
            #"{"id":\#(id),"name":"b\#(-id)","type_name":"\#(id == -1 ? "root" : "host")","items":["#
                + items.map { #"{"id":\#($0)}"# }.joined(separator: ",") + "]}"
        }
        return #"{"types":[{"type_id":0,"name":"osd"}],"buckets":[\#(list.joined(separator: ","))],"#
            + #""rules":[{"rule_name":"r","steps":[\#(steps)]}]}"#
    }

    private static let take = #"{"op":"take","item":-1},"#
    private static let choose = #"{"op":"chooseleaf_firstn","num":0,"type":"host"},"#
    private static let emit = #"{"op":"emit"}"#

    @Test("are not looked for in a map that has a bucket twice, below itself, or not at all")
    func malformed() throws {
        #expect(Self.refusal(Self.text([-1: [-2], -2: [0]]), "r") == nil)
        #expect(Self.refusal(Self.text([-1: [-2]]), "r")?.contains("lacks the bucket -2") == true)
        for circle in [[-1: [-1]], [-1: [-2], -2: [-1]], [-1: [0], -2: [-3], -3: [-4, 1], -4: [-2]]] {
            #expect(Self.refusal(Self.text(circle), "r")?.contains("below itself") == true)
        }
        #expect(Self.refusal(Self.text([1: [0]]), "r")?.contains("it is none") == true)
        let second = #",{"id":-1,"name":"c","type_name":"host","items":[]}],"rules""#
        let twice = Self.text([-1: [0]]).replacing("],\"rules\"", with: second)
        #expect(Self.refusal(twice, "r")?.contains("twice") == true)
        for text in ["", "[]", "{}", "null", #"{"types":[],"buckets":{},"rules":[]}"#, Self.text([-1: [0]]) + "x"] {
            #expect(throws: DecodingError.self) { try Self.map(text) }
        }
        let deep = #"{"types":[],"rules":[],"buckets":"# + String(repeating: "[", count: 200_000)
        #expect(throws: DecodingError.self) { try Self.map(deep) }
        let number = Self.text([-1: [0]]).replacing(#"[{"id":0}]"#, with: #"[{"id":1e300}]"#)
        #expect(throws: DecodingError.self) { try Self.map(number) }
    }

    @Test("are not looked for by a rule that is missing, cannot be understood or chooses nothing")
    func rules() throws {
        #expect(Self.refusal(CrushSample.dump, "never")?.contains("it has `replicated_rule`, `ssd`") == true)
        #expect(Self.refusal(CrushSample.dump, "nothing")?.contains("can choose no OSD") == true)
        let map = [-1: [-2], -2: [0]]
        for (steps, said) in [
            (#"{"op":"take","item":-9},"# + Self.emit, "is missing"), (#"{"op":"take"},"# + Self.emit, "not known"),
            (Self.take + #"{"op":"chooseleaf_firstn"},"# + Self.emit, "not known"),
            (Self.take + #"{"op":"shuffle","type":"host"},"# + Self.emit, "not known"),
            (Self.take + #"{"opcode":99,"arg1":0,"arg2":0},"# + Self.emit, "not known"),
            (Self.take + #"{"op":"choose_firstn","num":0,"type":"rack"},"# + Self.emit, "no OSD"),
            (Self.take + #"{"op":"noop"}"#, "no OSD"), ("", "no OSD"),
            (Array(repeating: Self.emit, count: 65).joined(separator: ","), "more than 64 steps"),
        ] {
            #expect(Self.refusal(Self.text(map, steps), "r")?.contains(said) == true, "\(steps)")
        }
        // What only sets something, under a name or a number, and steps of later releases that choose.
        let known =
            Self.take + #"{"op":"set_msr_descents","num":3},{"opcode":12,"arg1":1,"arg2":0},"#
            + #"{"op":"choosemsr","num":2,"type":"host"},{"op":"choosemsr","num":1,"type":"osd"},"# + Self.emit
        #expect(Self.refusal(Self.text(map, known), "r") == nil)
    }

    @Test("are found in a map as long as a list, or too large to be one, without end nor ado")
    func large() throws {
        let chain = Dictionary(uniqueKeysWithValues: (1...50_000).map { (-$0, [-$0 - 1]) } + [(-50_001, [7])])
        let found = try Self.domains("r", in: Self.text(chain))
        #expect(found.count == 50_000)
        // Every bucket holds all that come after it: as many ways as there are subsets.
        var dense = Dictionary(
            uniqueKeysWithValues: (1...400).map { first in (-first, ((first + 1)...401).map { -$0 }) })
        dense[-401] = [3]
        #expect(try Self.domains("r", in: Self.text(dense)).count == 400)
        let many = Self.text([-1: Array(0...500_000)])
        #expect(Self.refusal(many, "r")?.contains("too large") == true)
    }

    @Test("are those of a search that takes one way after the other", arguments: 0..<200 as Range<UInt64>)
    func random(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let hosts = Int.random(in: 1...6, using: &generator)
        var (buckets, next): ([Int: [Int]], Int) = ([-1: []], 0)
        for host in 2..<(2 + hosts) {
            let count = Int.random(in: 0...3, using: &generator)
            buckets[-host] = (0..<count).map { next + $0 }
            next += count
            // Some hosts are in the root, some in another host, some nowhere, and some OSDs in the root itself.
            let place = Int.random(in: 0...3, using: &generator)
            if place > 0 { buckets[place == 1 && host > 2 ? -(host - 1) : -1]?.append(-host) }
        }
        if Bool.random(using: &generator) { buckets[-1]?.append(next) }
        let isLeaf = Bool.random(using: &generator)
        let type = Bool.random(using: &generator) ? "host" : "osd"
        let step = #"{"op":"\#(isLeaf ? "chooseleaf_indep" : "choose_firstn")","num":0,"type":"\#(type)"},"#
        let text = Self.text(buckets, Self.take + step + Self.emit)

        /// The hosts on each way from the root to an OSD.
        func ways(_ item: Int, _ hosts: [Int]) -> [(osd: Int, hosts: [Int])] {
            guard item < 0 else { return [(item, hosts)] }
            return (buckets[item] ?? []).flatMap { ways($0, hosts + (item == -1 ? [] : [item])) }
        }
        let chosen = ways(-1, []).filter { type == "osd" || !$0.hosts.isEmpty }
        guard !chosen.isEmpty else {
            #expect(Self.refusal(text, "r")?.contains("no OSD") == true)
            return
        }
        var wanted = Set(chosen.flatMap { $0.hosts.map { "c/host/b\(-$0)" } })
        for way in chosen where way.hosts.isEmpty { wanted.insert("c/osd/\(way.osd)") }
        #expect(try Set(Self.domains("r", in: text)) == wanted)
    }
}
