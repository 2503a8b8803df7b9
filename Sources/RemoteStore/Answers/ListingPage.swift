import NIOCore
import Primitives
import XML

/// One page of ListObjectsV2, checked: whatever a backend says of its order and its end is not believed unseen.
struct ListingPage: Sendable {
    struct Entry: Sendable, Equatable {
        let key: [UInt8]
        let size: Int64
    }

    /// What is wrong with a page.
    struct Wrong: Error, Equatable {
        let detail: String
    }

    static let byteLimit = 4 << 20

    /// In the order of their keys, all of them behind what was asked for.
    let entries: [Entry]
    /// How the next page is asked for; nil where this is the last.
    let token: String?

    /// Reads a page.
    ///
    /// - Parameters:
    ///   - prefix: What every key begins with.
    ///   - after: What every key is behind, in the order of bytes.
    /// - Throws: `Wrong`, which names what is.
    init(_ bytes: ByteBuffer, prefix: String, after: [UInt8]) throws(Wrong) {
        let root: XMLElement
        do throws(XMLError) {
            root = try XMLDocument.parse(bytes, limits: XMLLimits(bytes: Self.byteLimit))
        } catch {
            throw Wrong(detail: "its listing cannot be read: \(error)")
        }
        guard root.isNamed("ListBucketResult") else { throw Wrong(detail: "its listing is another document") }
        let isEncoded = root.child("EncodingType")?.text == "url"
        var entries: [Entry] = []
        var last = after
        for element in root.children("Contents") {
            let entry = try Self.entry(element, isEncoded)
            guard entry.key.starts(with: prefix.utf8) else {
                throw Wrong(detail: "its listing has a key without the prefix that was asked for")
            }
            guard last.lexicographicallyPrecedes(entry.key) else {
                throw Wrong(detail: "its listing is out of order, or has what comes before the key that was asked for")
            }
            last = entry.key
            entries.append(entry)
        }
        self.entries = entries
        token = try Self.token(root, isEmpty: entries.isEmpty)
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
