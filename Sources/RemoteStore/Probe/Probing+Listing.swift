import NIOCore
import Primitives

/// Listings: whole, in order, at once, and page by page.
extension Probing {
    /// Keys of a page where pages are looked at.
    private static let pageKeys = 2

    /// Names as blobs have them, in their order: some are the beginning of others, some differ in a digit and a letter.
    private static let blobNames: [String] = {
        let whole = BlobName(epoch: 1, counter: 9, random: 7)
        let others = [0x0a, 0x10, 0x99, 0xa0].map { BlobName(epoch: 1, counter: $0, random: 7) }
        return ([whole, whole.shard(0), whole.shard(0, attempt: 1), whole.shard(10)] + others).map(\.description)
    }()

    /// Names that any other order than that of their bytes sorts otherwise: by folders, without regard to case, as
    /// numbers, in UTF-16. They hold what has to be encoded as well.
    private static let otherNames = [
        "10", "9", "B", "a", "d b+c%25&e", "d-b", "d/b", "d0", "\u{e9}", "\u{ff5e}", "\u{1f600}",
    ]

    mutating func listAfterWrite() async throws(ProbeStop) -> ProbeOutcome {
        // In an order that is none, so that the order of writing is not that of the names.
        for index in [5, 2, 7, 0, 4, 1, 6, 3] {
            try await calls.put(key("list/\(Self.blobNames[index])"), bytes(index + 1))
        }
        let entries = try await listed { (body) throws(ListingPage.Wrong) in try ListingPage.entries(body) }
        for entry in expected where !entries.contains(where: { $0.key == entry.key }) {
            throw .refused("A listing lacks an object that was just written.")
        }
        for entry in entries where !expected.contains(entry) {
            let isOurs = expected.contains { $0.key == entry.key }
            throw .refused(
                isOurs
                    ? "A listing gives an object another size than it has."
                    : "A listing has an object that was deleted, never wholly written, or not asked for.")
        }
        guard entries.count == expected.count else { throw .refused("A listing has an object twice.") }
        return .good("A listing had every object as soon as it was written, and none that was deleted.")
    }

    mutating func listOrder() async throws(ProbeStop) -> ProbeOutcome {
        let keys = expected.map(\.key)
        // From the beginning, behind some keys, behind one that is not there, and behind the last.
        let between = keys[3] + Array("-".utf8)
        for after in [[], keys[0], keys[1], between, keys[6], keys[7]] {
            let entries = try await page(after: after, limit: 1000).entries
            guard entries == expected.filter({ after.lexicographicallyPrecedes($0.key) }) else {
                throw .refused("A listing that goes on behind a key leaves out what is behind it.")
            }
        }
        let isOrdered = try await listsOtherNames()
        abilities.listsAllInByteOrder = isOrdered
        return isOrdered
            ? .good("Keys are listed in the order of their bytes, and behind any key that is named.")
            : .limited(
                "Keys of blobs are listed in the order of their bytes, and behind any key that is named; keys of other "
                    + "texts are not, or are not taken. That does no harm as long as nobody else writes below the "
                    + "prefix.")
    }

    /// Whether keys of any text are taken and listed in the order of their bytes. Blobs have no such keys.
    private mutating func listsOtherNames() async throws(ProbeStop) -> Bool {
        let names = Self.otherNames.map { key("list-more/\($0)") }
        for name in names.reversed() {
            if case .failure(let fault) = try await calls.result(of: .put(name), body: bytes(1)) {
                guard case .refused = fault.kind else { throw .fault(fault) }
                return false
            }
        }
        let call = RemoteCall.listing(prefix: folder + "list-more/", after: [], token: nil, limit: 1000)
        let answer = try await calls.perform(call, limit: ListingPage.byteLimit)
        // Any other page is one in another order.
        let page = try? ListingPage(answer.body, prefix: folder + "list-more/", after: [])
        return page?.entries.map(\.key) == names.map { Array($0.utf8) }
    }

    mutating func listPage() async throws(ProbeStop) -> ProbeOutcome {
        let limit = try await listed { (body) throws(ListingPage.Wrong) in try ListingPage.limit(body) }
        abilities.listPageLimit = limit
        var (entries, token): ([ListingPage.Entry], String?) = ([], nil)
        var isHonoured = true
        repeat {
            let page = try await page(after: entries.last?.key ?? [], token: token, limit: Self.pageKeys)
            isHonoured = isHonoured && page.entries.count <= Self.pageKeys
            entries += page.entries
            token = page.token
            // Each page has an entry at least, or it is the last.
        } while token != nil && entries.count <= expected.count
        guard entries == expected else {
            throw .refused("The pages of a listing together are not what the listing is in one page.")
        }
        abilities.honoursPageLimit = isHonoured
        let asked = limit.map { "says that a page has \($0)" } ?? "does not say how many a page has"
        let told = "Where 1,000 keys of a page are asked for, it \(asked)"
        return isHonoured
            ? .good("\(told); where \(Self.pageKeys) are, it gives \(Self.pageKeys), and the pages together are whole.")
            : .limited("\(told); where \(Self.pageKeys) are, it gives more, but the pages together are whole.")
    }

    /// What the listing has to be.
    private var expected: [ListingPage.Entry] {
        Self.blobNames.enumerated().map { index, name in
            ListingPage.Entry(key: Array((listed + name).utf8), size: Int64(index + 1))
        }
    }

    private func listed<Value>(
        _ read: (ByteBuffer) throws(ListingPage.Wrong) -> Value
    ) async throws(ProbeStop) -> Value {
        let call = RemoteCall.listing(prefix: listed, after: [], token: nil, limit: 1000)
        let answer = try await calls.perform(call, limit: ListingPage.byteLimit)
        do throws(ListingPage.Wrong) {
            return try read(answer.body)
        } catch {
            throw .refused("It cannot list: \(error.detail).")
        }
    }

    /// A page, as a store checks it.
    private func page(
        after: [UInt8], token: String? = nil, limit: Int
    ) async throws(ProbeStop) -> ListingPage {
        let call = RemoteCall.listing(prefix: listed, after: after, token: token, limit: limit)
        let answer = try await calls.perform(call, limit: ListingPage.byteLimit)
        do throws(ListingPage.Wrong) {
            return try ListingPage(answer.body, prefix: listed, after: after)
        } catch {
            throw .refused("It cannot list: \(error.detail).")
        }
    }
}
