import NIOCore
import Primitives
import XML

/// What a backend says of its bucket, as far as the probe and the sweep of uploads ask.
enum BucketAnswers {
    /// A version of an object, or the mark that it was deleted.
    struct Version: Equatable {
        let key: String
        let id: String
        let isDeleteMarker: Bool
    }

    static let versionsLimit = 1 << 20

    /// The root of a document; nil where it cannot be read, or is another document.
    static func root(_ bytes: ByteBuffer, named name: String, limit: Int = ErrorAnswer.byteLimit) -> XMLElement? {
        // What cannot be read says nothing.
        let root = try? XMLDocument.parse(bytes, limits: XMLLimits(bytes: limit, depth: 8))
        return root.flatMap { $0.isNamed(name) ? $0 : nil }
    }

    /// What GetBucketVersioning says; nil where that is nothing of S3's.
    static func versioning(_ bytes: ByteBuffer) -> BackendAbilities.Versioning? {
        guard let root = root(bytes, named: "VersioningConfiguration") else { return nil }
        switch root.child("Status")?.text {
        case nil: return .off
        case "Suspended": return .suspended
        case "Enabled": return .enabled
        default: return nil
        }
    }

    /// What GetObjectLockConfiguration says; nil where that is nothing of S3's.
    static func objectLock(_ bytes: ByteBuffer) -> BackendAbilities.ObjectLock? {
        guard let root = root(bytes, named: "ObjectLockConfiguration") else { return nil }
        guard root.child("Rule")?.child("DefaultRetention") == nil else { return .withDefaultRetention }
        return root.child("ObjectLockEnabled")?.text == "Enabled" ? .withoutDefaultRetention : .off
    }

    /// The number of lifecycle rules that would remove or move, by their age, objects below a prefix; nil where the
    /// document is nothing of S3's. A rule for objects of some tags or sizes counts too: which of ours those are may
    /// change.
    static func harmfulRules(_ bytes: ByteBuffer, for prefix: String) -> Int? {
        guard let root = root(bytes, named: "LifecycleConfiguration", limit: versionsLimit) else { return nil }
        return root.children("Rule").count { rule in
            guard rule.child("Status")?.text != "Disabled" else { return false }
            let expires = rule.children("Expiration").contains { $0.child("Days") != nil || $0.child("Date") != nil }
            guard expires || rule.child("Transition") != nil else { return false }
            let filter = rule.child("Filter")
            let named = rule.child("Prefix") ?? filter?.child("Prefix") ?? filter?.child("And")?.child("Prefix")
            let wanted = Array((named?.text ?? "").utf8)
            return prefix.utf8.starts(with: wanted) || wanted.starts(with: prefix.utf8)
        }
    }

    /// The most parts of a page, as a page of ListParts says.
    static func partPageLimit(_ bytes: ByteBuffer) -> Int? {
        root(bytes, named: "ListPartsResult")?.child("MaxParts").flatMap { Int($0.text) }
    }

    /// The versions of a page of ListObjectVersions; nil where it is none.
    static func versions(_ bytes: ByteBuffer) -> [Version]? {
        guard let root = root(bytes, named: "ListVersionsResult", limit: versionsLimit) else { return nil }
        return root.children.compactMap { element in
            let isDeleteMarker = element.isNamed("DeleteMarker")
            guard isDeleteMarker || element.isNamed("Version"), let key = element.child("Key")?.text,
                let id = element.child("VersionId")?.text, MultipartAnswers.isText(id)
            else { return nil }
            return Version(key: key, id: id, isDeleteMarker: isDeleteMarker)
        }
    }
}
