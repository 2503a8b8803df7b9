import Configuration
import Metadata
import Primitives
import Storage

/// Which place is which position of the pool. Placements name stores by position, so that the order of the directories
/// in the configuration must not matter once stores have an identity.
enum StoreArrangement {
    /// What stands in a position.
    enum Position: Hashable {
        /// The configured directory of this index.
        case directory(Int)
        /// The backend that the index has in this position.
        case backend
    }

    /// What stands in each position.
    ///
    /// - Parameters:
    ///   - directories: one finding for each configured directory, in the configuration's order.
    ///   - records: the stores that the index knows, by position.
    /// - Throws: A sentence, where there are fewer directories than stores in directories, or one store is there twice.
    static func positions(
        of directories: [StoreFinding], records: [UInt16: StoreRecord]
    ) throws(StartError) -> [Position] {
        let backends = records.filter { $0.value.backend != nil }
        let known = records.count - backends.count
        let count = max(directories.count + backends.count, records.keys.max().map { Int($0) + 1 } ?? 0)
        guard directories.count + backends.count == count else {
            throw StartError(
                "pool.directories names \(Counted(directories.count, "directory", "directories")), but the deployment "
                    + "has \(Counted(known, "store")) in directories. A store that is gone for good keeps its entry: "
                    + "name an empty directory for it.")
        }
        var places: [Position?] = (0..<count).map { position in
            backends[UInt16(truncatingIfNeeded: position)] == nil ? nil : .backend
        }
        var rest: [Int] = []
        for (index, finding) in directories.enumerated() {
            let position = finding.identity.flatMap { identity in
                records.first { $0.value.id == identity.store }.map { Int($0.key) }
            }
            guard let position else {
                rest.append(index)
                continue
            }
            switch places[position] {
            case .directory(let other):
                throw StartError("\(directories[other].path) and \(finding.path) hold one and the same store.")
            case .backend:
                throw StartError("\(finding.path) holds a store that is a backend in another place.")
            case nil: places[position] = .directory(index)
            }
        }
        // What says nothing of itself stands where it was, or where there is room.
        for index in rest {
            if let position = records.first(where: { $0.value.place.utf8.elementsEqual(directories[index].path.utf8) })?
                .key,
                places[Int(position)] == nil
            {
                places[Int(position)] = .directory(index)
            }
        }
        var left = rest.filter { !places.contains(.directory($0)) }[...]
        return places.map { $0 ?? .directory(left.removeFirst()) }
    }

    /// The directories that a deployment has: those that the configuration names, or else those that it has by default,
    /// unless it has backends and no directory.
    static func directories(
        _ pool: TidegateConfiguration.Pool, records: [UInt16: StoreRecord]
    ) -> [String] {
        let isAllBackends = !records.isEmpty && records.values.allSatisfy { $0.backend != nil }
        return isAllBackends && !pool.namesDirectories ? [] : pool.directories
    }

    /// Whether the stores can hold the shards of a blob at all.
    ///
    /// - Throws: A sentence, where they are too few.
    static func check(
        _ pool: TidegateConfiguration.Pool, directories: Int, backends: Int
    ) throws(StartError) {
        let (shards, stores) = (pool.dataShards + pool.parityShards, directories + backends)
        // Directories cost nothing. Of services there may be few: each then takes several shards, at most m.
        let least = backends == 0 ? shards : (shards + pool.parityShards - 1) / max(1, pool.parityShards)
        guard stores < least else { return }
        guard backends > 0 else {
            throw StartError(
                "`pool.directories` has \(Counted(directories, "entry", "entries")); \(pool.dataShards) + "
                    + "\(pool.parityShards) shards want at least \(shards), or backends beside them "
                    + "(`tidegate backend attach`)")
        }
        throw StartError(
            "The pool has \(Counted(stores, "store")), of which each may hold \(pool.parityShards) of the \(shards) "
                + "shards of an object: it wants at least \(least). Attach backends (`tidegate backend attach`), or "
                + "name directories (pool.directories).")
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
    /// Whether it is that another process has the index open.
    var isInUse = false

    init(_ description: String) {
        self.description = description
    }
}
