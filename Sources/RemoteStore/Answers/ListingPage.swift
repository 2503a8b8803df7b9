package import NIOCore
import Primitives
import XML

/// One page of ListObjectsV2, checked: whatever a backend says of its order and its end is not believed unseen.
package struct ListingPage: Sendable {
    package struct Entry: Sendable, Equatable {
        package let key: [UInt8]
        package let size: Int64
    }

    /// What is wrong with a page.
    package struct Wrong: Error, Equatable {
        package let detail: String
    }

    static let byteLimit = 4 << 20

    /// In the order of their keys, all of them behind what was asked for.
    package let entries: [Entry]
    /// How the next page is asked for; nil where this is the last.
    package let token: String?

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - prefix: What every key begins with.
    ///   - after: What every key is behind, in the order of bytes.
    /// - Throws: `Wrong`, which names what is.
    package init(_ bytes: ByteBuffer, prefix: String, after: [UInt8]) throws(Wrong) {
        let root = try Self.root(bytes)
        let entries = try Self.entries(of: root)
        var last = after
        for entry in entries {
            guard entry.key.starts(with: prefix.utf8) else {
                throw Wrong(detail: "its listing has a key without the prefix that was asked for")
            }
            guard last.lexicographicallyPrecedes(entry.key) else {
                throw Wrong(detail: "its listing is out of order, or has what comes before the key that was asked for")
            }
            last = entry.key
        }
        self.entries = entries
        token = try Self.token(root, isEmpty: entries.isEmpty)
    }

    /// The entries of a page as they stand there, in whatever order.
    static func entries(_ bytes: ByteBuffer) throws(Wrong) -> [Entry] {
        try entries(of: root(bytes))
    }

    /// A page of which the order does not matter.
    static func unordered(_ bytes: ByteBuffer) throws(Wrong) -> (entries: [Entry], next: String?) {
        let root = try root(bytes)
        let entries = try entries(of: root)
        return (entries, try token(root, isEmpty: entries.isEmpty))
    }

    private static func entries(of root: XMLElement) throws(Wrong) -> [Entry] {
        let isEncoded = root.child("EncodingType")?.text == "url"
        var entries: [Entry] = []
        for element in root.children("Contents") { entries.append(try entry(element, isEncoded)) }
        return entries
    }

    /// The most keys of a page, as it says; nil where it does not.
    static func limit(_ bytes: ByteBuffer) throws(Wrong) -> Int? {
        try root(bytes).child("MaxKeys").flatMap { Int($0.text) }
    }

    private static func root(_ bytes: ByteBuffer) throws(Wrong) -> XMLElement {
        let root: XMLElement
        do throws(XMLError) {
            root = try XMLDocument.parse(bytes, limits: XMLLimits(bytes: byteLimit))
        } catch {
            throw Wrong(detail: "its listing cannot be read: \(error)")
        }
        guard root.isNamed("ListBucketResult") else { throw Wrong(detail: "its listing is another document") }
        return root
    }

    private static func entry(_ element: XMLElement, _ isEncoded: Bool) throws(Wrong) -> Entry {
        guard let text = element.child("Key")?.text, let size = element.child("Size").flatMap({ Int64($0.text) }),
            size >= 0
        else { throw Wrong(detail: "an entry of its listing has no key, or no size") }
        guard isEncoded else { return Entry(key: Array(text.utf8), size: size) }
        guard let key = PercentCoding.decode(text.utf8, plusIsSpace: true) else {
            throw Wrong(detail: "a key of its listing is not encoded as it says")
        }
        return Entry(key: key, size: size)
    }

    private static func token(_ root: XMLElement, isEmpty: Bool) throws(Wrong) -> String? {
        switch root.child("IsTruncated")?.text {
        case "false": return nil
        case "true":
            guard !isEmpty else { throw Wrong(detail: "a page of its listing is empty, and not the last") }
            guard let token = root.child("NextContinuationToken")?.text, (1...4096).contains(token.utf8.count) else {
                throw Wrong(detail: "a page of its listing goes on, but does not say where")
            }
            return token
        default: throw Wrong(detail: "its listing does not say whether it goes on")
        }
    }
}
