import Foundation
import Metadata

/// What is said of a backend by its Ceph cluster: a map, and the rules by which the pools of the bucket are placed.
struct CrushDeclaration: Codable, Sendable {
    /// What `ceph osd crush dump` gives.
    var dump: CrushMap
    var rules: [String]
    /// What `ceph fsid` gives.
    var fsid: String?

    /// The largest file that is read.
    private static let mostBytes = 64 << 20

    /// Reads a dump.
    ///
    /// - Throws: `invalid`, a sentence for the operator.
    init(file: String, rules: [String], fsid: String?) throws(BackendError) {
        let read: Data?
        do {
            let handle = try FileHandle(forReadingFrom: URL(fileURLWithPath: file))
            read = try handle.read(upToCount: Self.mostBytes + 1)
            try handle.close()
        } catch {
            throw .invalid("`\(file)` cannot be read.")
        }
        guard let read, read.count <= Self.mostBytes else {
            throw .invalid("`\(file)` is empty, or longer than \(Self.mostBytes >> 20) MiB.")
        }
        do throws(BackendError) {
            dump = try AdminJSON.decode(CrushMap.self, Array(read))
        } catch {
            throw .invalid("`\(file)` is not what `ceph osd crush dump` gives: \(error)")
        }
        (self.rules, self.fsid) = (rules, fsid)
    }

    /// The failure domains that the backend shares with whatever else lies in them, as names of hosts.
    ///
    /// - Throws: `invalid`, a sentence for the operator.
    func domains() throws(BackendError) -> [String] {
        guard !rules.isEmpty else {
            throw .invalid("Name the CRUSH rules of the bucket's pools: `ceph osd pool get POOL crush_rule`.")
        }
        guard let fsid else { return try domains(nil) }
        guard let cluster = UUID(uuidString: fsid) else {
            throw .invalid("`\(fsid)` is no id of a Ceph cluster, as `ceph fsid` gives it.")
        }
        return try domains(cluster.uuidString.lowercased())
    }

    private func domains(_ cluster: String?) throws(BackendError) -> [String] {
        do throws(CrushError) {
            return try CrushDomains(dump).domains(ofRules: rules, cluster: cluster)
        } catch {
            throw .invalid(error.description)
        }
    }
}
