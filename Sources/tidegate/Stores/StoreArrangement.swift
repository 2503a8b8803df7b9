import Metadata
import Primitives
import Storage

/// Which configured directory is which position of the pool. Placements name stores by position, so that the order in
/// the configuration must not matter once stores have an identity.
enum StoreArrangement {
    /// The place of each position.
    ///
    /// - Parameters:
    ///   - findings: one for each configured directory, in the configuration's order.
    ///   - records: the stores that the index knows, by position.
    /// - Returns: Indices of `findings`, by position.
    /// - Throws: A sentence, where there are fewer directories than stores or one store is there twice.
    static func positions(
        of findings: [StoreFinding], records: [UInt16: StoreRecord]
    ) throws(StartError) -> [Int] {
        let count = max(findings.count, records.keys.max().map { Int($0) + 1 } ?? 0)
        guard findings.count == count else {
            throw StartError(
                "pool.directories names \(findings.count) directories, but the deployment has \(count) stores. "
                    + "A store that is gone for good keeps its entry: name an empty directory for it.")
        }
        var places: [Int?] = Array(repeating: nil, count: count)
        var rest: [Int] = []
        for (index, finding) in findings.enumerated() {
            let position = finding.identity.flatMap { identity in
                records.first { $0.value.id == identity.store }.map { Int($0.key) }
            }
            guard let position else {
                rest.append(index)
                continue
            }
            if let other = places[position] {
                throw StartError("\(findings[other].path) and \(finding.path) hold one and the same store.")
            }
            places[position] = index
        }
        // What says nothing of itself stands where it was, or where there is room.
        for index in rest {
            if let position = records.first(where: { $0.value.place.utf8.elementsEqual(findings[index].path.utf8) })?
                .key,
                places[Int(position)] == nil
            {
                places[Int(position)] = index
            }
        }
        var left = rest.filter { !places.contains($0) }[...]
        return places.map { $0 ?? left.removeFirst() }
    }

    /// The deployment that the stores say they belong to; nil where none says anything.
    /// - Throws: A sentence, where they belong to several.
    static func deployment(_ findings: [StoreFinding]) throws(StartError) -> [UInt8]? {
        var owner: (id: [UInt8], path: String)?
        for finding in findings {
            guard let identity = finding.identity else { continue }
            guard let known = owner else {
                owner = (identity.deployment, finding.path)
                continue
            }
            guard known.id == identity.deployment else {
                throw StartError(
                    "The stores belong to different deployments: \(known.path) to \(Hex.encode(known.id)), "
                        + "\(finding.path) to \(Hex.encode(identity.deployment)).")
            }
        }
        return owner?.id
    }
}

/// Why the process cannot start, or a command not be carried out: a sentence for the operator.
struct StartError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
