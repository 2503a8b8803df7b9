/// Which failure domains of a Ceph cluster the data of a pool can lie in.
///
/// They are the hosts of every OSD that a rule can choose, and beside these the buckets of each kind that the rule's
/// steps name: who keeps copies in different racks takes a rack for what fails at once. An OSD that stands on no host
/// is a domain of its own. Weights are not looked at: an OSD without any may have some tomorrow. All is found by going
/// through the map once for each step, whatever its form is.
package struct CrushDomains: Sendable {
    private let buckets: [Int: CrushMap.Bucket]
    private let rules: [CrushMap.Rule]
    /// What devices are called as a kind.
    private let device: String
    /// The buckets that hold something, but for shadows.
    private let parents: [Int: [Int]]

    private static let host = "host"

    /// - Throws: Where the map is not one: too large, with a bucket that is missing, there twice or below itself.
    package init(_ map: CrushMap) throws(CrushError) {
        guard map.buckets.count <= CrushMap.mostBuckets,
            map.buckets.reduce(0, { $0 + $1.items.count }) <= CrushMap.mostItems
        else { throw CrushError("The CRUSH map is too large.") }
        var (buckets, parents): ([Int: CrushMap.Bucket], [Int: [Int]]) = ([:], [:])
        for bucket in map.buckets {
            guard bucket.id < 0, buckets.updateValue(bucket, forKey: bucket.id) == nil else {
                throw CrushError("The CRUSH map has the bucket \(bucket.id) twice, or it is none.")
            }
            guard !bucket.isShadow else { continue }
            for item in bucket.items { parents[item.id, default: []].append(bucket.id) }
        }
        for bucket in map.buckets {
            for item in bucket.items where item.id < 0 && buckets[item.id] == nil {
                throw CrushError("The CRUSH map lacks the bucket \(item.id), which \(bucket.id) holds.")
            }
        }
        (self.buckets, self.parents, rules) = (buckets, parents, map.rules)
        device = map.types.first { $0.id == 0 }?.name ?? "osd"
        try refuseCircles()
    }

    /// Takes away what holds no bucket, again and again: of a map nothing is left.
    private func refuseCircles() throws(CrushError) {
        var (holders, open): ([Int: [Int]], [Int: Int]) = ([:], [:])
        for bucket in buckets.values {
            let inner = bucket.items.filter { $0.id < 0 }
            open[bucket.id] = inner.count
            for item in inner { holders[item.id, default: []].append(bucket.id) }
        }
        var (rest, done) = (open.filter { $0.value == 0 }.map(\.key), 0)
        while let bucket = rest.popLast() {
            done += 1
            for holder in holders[bucket] ?? [] {
                open[holder, default: 0] -= 1
                if open[holder] == 0 { rest.append(holder) }
            }
        }
        guard done == buckets.count else { throw CrushError("The CRUSH map has a bucket that is below itself.") }
    }

    /// The domains of rules, sorted: the same text for the same domain.
    ///
    /// - Parameters:
    ///   - names: of rules; a bucket of RGW has an index and data, whose pools may have different ones.
    ///   - cluster: the id of the cluster; without it, the numbers of buckets tell clusters apart as well as they can.
    /// - Throws: Where there is no such rule, it cannot be understood, or it can choose no OSD.
    package func domains(ofRules names: [String], cluster: String?) throws(CrushError) -> [String] {
        var domains: Set<String> = []
        for name in names {
            guard let rule = rules.first(where: { $0.name.utf8.elementsEqual(name.utf8) }) else {
                let known = rules.map { "`\($0.name)`" }.joined(separator: ", ")
                throw CrushError("The CRUSH map has no rule `\(name)`; it has \(known.isEmpty ? "none" : known).")
            }
            let devices = try devices(chosenBy: rule)
            guard !devices.isEmpty else { throw CrushError("The CRUSH rule `\(name)` can choose no OSD.") }
            domains.formUnion(self.domains(of: devices, kinds: Set(rule.steps.compactMap(\.type)), cluster))
        }
        return domains.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    // MARK: What a rule chooses

    private func devices(chosenBy rule: CrushMap.Rule) throws(CrushError) -> Set<Int> {
        guard rule.steps.count <= CrushMap.mostSteps else {
            throw CrushError("The CRUSH rule `\(rule.name)` has more than \(CrushMap.mostSteps) steps.")
        }
        var (working, chosen): (Set<Int>, Set<Int>) = ([], [])
        for step in rule.steps {
            switch try Act(step, of: rule) {
            case .nothing: break
            case .take(let item):
                guard item >= 0 || buckets[item] != nil else {
                    throw CrushError("The CRUSH rule `\(rule.name)` takes the bucket \(item), which is missing.")
                }
                working = [item]
            case .choose(let kind): working = below(working).filter { self.kind(of: $0) == kind }
            case .emit:
                // Also of a bucket that a rule chooses and does not descend into.
                chosen.formUnion(below(working).filter { $0 >= 0 })
                working = []
            }
        }
        return chosen
    }

    /// What a step of a rule does to what was chosen before it.
    private enum Act {
        case nothing
        case take(Int)
        /// Whether it goes on to leaves makes no difference to which these can be.
        case choose(String)
        case emit

        init(_ step: CrushMap.Rule.Step, of rule: CrushMap.Rule) throws(CrushError) {
            switch (step.op, step.item, step.type) {
            case ("take", let item?, _): self = .take(item)
            case ("emit", _, _): self = .emit
            case ("noop", _, _): self = .nothing
            case (let op?, _, let kind?) where op.utf8.starts(with: "choose".utf8): self = .choose(kind)
            case (let op?, _, _) where op.utf8.starts(with: "set_".utf8): self = .nothing
            // Those that set something have the numbers from 8 to 15 (crush.h of Ceph).
            case (nil, _, _) where (8...15).contains(step.opcode ?? 0): self = .nothing
            default: throw CrushError("The CRUSH rule `\(rule.name)` has a step that is not known.")
            }
        }
    }

    private func kind(of item: Int) -> String { item >= 0 ? device : buckets[item]?.kind ?? "" }

    /// Some items and everything that is below them.
    private func below(_ items: some Sequence<Int>) -> Set<Int> {
        reachable(from: items) { buckets[$0]?.items.map(\.id) ?? [] }
    }

    private func reachable(from items: some Sequence<Int>, _ next: (Int) -> [Int]) -> Set<Int> {
        var seen = Set(items)
        var rest = Array(seen)
        while let item = rest.popLast() {
            for other in next(item) where seen.insert(other).inserted { rest.append(other) }
        }
        return seen
    }

    // MARK: Where that is

    private func domains(of devices: Set<Int>, kinds: Set<String>, _ cluster: String?) -> Set<String> {
        let above = reachable(from: devices) { parents[$0] ?? [] }.filter { $0 < 0 }
        let hosts = above.filter { kind(of: $0) == Self.host }
        let wanted = kinds.union([Self.host])
        var domains = Set(above.filter { wanted.contains(kind(of: $0)) }.map { label(of: $0, cluster) })
        for device in devices.subtracting(below(hosts)) { domains.insert(label(of: device, cluster)) }
        return domains
    }

    private func label(of item: Int, _ cluster: String?) -> String {
        guard item < 0 else { return "\(cluster ?? "crush")/\(device)/\(item)" }
        let bucket = "\(kind(of: item))/\(buckets[item]?.name ?? "")"
        return cluster.map { "\($0)/\(bucket)" } ?? "crush/\(bucket)/\(item)"
    }
}
