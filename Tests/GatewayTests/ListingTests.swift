import Primitives
import Testing

/// ListObjects and ListObjectsV2.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/API/API_ListObjectsV2.html>
@Suite("Listings")
struct ListingTests {
    /// In the order of their UTF-8 bytes, which is not that of their UTF-16 units: U+FF5E stands before U+1F600.
    static let keys = [
        "a", "a/", "a/b", "a/b/c", "a/d", "a0", "b//x", "b/x", "photos/2006/January/sample.jpg",
        "photos/2006/February/sample2.jpg", "photos/2006/February/sample3.jpg", "sample.jpg", "z→a→1", "z→a→2", "z→b",
        "é", "e\u{301}", "\u{FF5E}", "\u{1F600}", "with space", "plus+amp&<xml>\"'", "under_score", "per%cent",
    ].sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }

    private func harness() async throws -> GatewayHarness {
        let harness = try await GatewayHarness.withBucket()
        for key in Self.keys { try await harness.root.put(path("bucket", key), "x") }
        return harness
    }

    /// What S3 lists, by the rules in words: keys with the prefix, after the marker, rolled up at the delimiter.
    private func expected(
        prefix: String, delimiter: String, after marker: String = ""
    ) -> (keys: [String], groups: [String]) {
        var (keys, groups): ([String], [String]) = ([], [])
        for key in Self.keys where Array(key.utf8).starts(with: prefix.utf8) {
            let rest = Array(key.utf8.dropFirst(prefix.utf8.count))
            let separator = Array(delimiter.utf8)
            let end =
                separator.isEmpty
                ? nil
                : rest.indices.first { rest[$0...].starts(with: separator) }
            let name = end.map { prefix + String(decoding: rest[..<($0 + separator.count)], as: UTF8.self) } ?? key
            guard marker.isEmpty || marker.utf8.lexicographicallyPrecedes(name.utf8) else { continue }
            if end == nil {
                keys.append(key)
            } else if groups.last.map({ !$0.utf8.elementsEqual(name.utf8) }) ?? true {
                groups.append(name)
            }
        }
        return (keys, groups)
    }

    private static let queries: [(String, String)] = [
        ("", ""), ("", "/"), ("a", "/"), ("a/", "/"), ("a/b", "/"), ("photos/", "/"), ("photos/2006/", "/"),
        ("none", "/"), ("", "→"), ("z", "→"), ("z→", "→"), ("", "a"), ("b/", "/"), ("photos", ""), ("", "//"),
        ("", "jpg"), ("e", ""), ("é", ""), ("a/", "b/c"), ("", "nothing"), ("", "\u{1F600}"),
    ]

    private static func query(_ items: [(String, String)]) -> String {
        items.map { "\($0.0)=\(PercentCoding.encode($0.1.utf8))" }.joined(separator: "&")
    }

    @Test("Prefix and delimiter, in every combination and page size, by both versions", arguments: queries)
    func pages(_ prefix: String, _ delimiter: String) async throws {
        let harness = try await harness()
        let wanted = expected(prefix: prefix, delimiter: delimiter)
        for version in [1, 2] {
            for limit in [1, 2, 3, 1000] {
                var (keys, groups, marker): ([String], [String], String?) = ([], [], nil)
                var pages = 0
                repeat {
                    var items = [("prefix", prefix), ("delimiter", delimiter), ("max-keys", String(limit))]
                    if version == 2 { items.append(("list-type", "2")) }
                    if let marker { items.append((version == 2 ? "continuation-token" : "marker", marker)) }
                    let page = try await harness.root.get("/bucket?" + Self.query(items))
                    #expect(page.status == 200)
                    #expect(page.root == "ListBucketResult")
                    let (found, rolled) = (page.texts("Contents/Key"), page.texts("CommonPrefixes/Prefix"))
                    #expect(found.count + rolled.count <= limit)
                    keys += found
                    groups += rolled
                    let isTruncated = page.text("IsTruncated") == "true"
                    if version == 2 { #expect(page.text("KeyCount") == String(found.count + rolled.count)) }
                    marker =
                        !isTruncated
                        ? nil
                        : version == 2
                            ? page.text("NextContinuationToken")
                            : page.text("NextMarker") ?? (delimiter.isEmpty ? found.last : nil)
                    #expect(isTruncated == (marker != nil), "a page that goes on says where")
                    pages += 1
                } while marker != nil && pages < 100
                #expect(keys.map { Array($0.utf8) } == wanted.keys.map { Array($0.utf8) })
                #expect(groups.map { Array($0.utf8) } == wanted.groups.map { Array($0.utf8) })
            }
        }
    }

    @Test("A page begins after its marker, whether that is a key or not")
    func markers() async throws {
        let harness = try await harness()
        for marker in ["a", "a/b", "a/zzz", "b", "photos/", "sample.jpg", "~", "é", "\u{1F600}"] {
            for delimiter in ["", "/"] {
                let wanted = expected(prefix: "", delimiter: delimiter, after: marker)
                let items = [("delimiter", delimiter), ("marker", marker)]
                let one = try await harness.root.get("/bucket?" + Self.query(items))
                #expect(one.texts("Contents/Key") == wanted.keys, "\(marker) \(delimiter)")
                let start = [("delimiter", delimiter), ("start-after", marker), ("list-type", "2")]
                let two = try await harness.root.get("/bucket?" + Self.query(start))
                #expect(two.texts("Contents/Key") == wanted.keys)
                #expect(two.text("StartAfter") == marker)
            }
        }
    }

    @Test("max-keys of 0 lists nothing, above 1,000 lists 1,000, and otherwise must be a number (CVE-2018-16846)")
    func limits() async throws {
        let harness = try await harness()
        for query in ["", "&list-type=2"] {
            let none = try await harness.root.get("/bucket?max-keys=0\(query)")
            #expect(none.texts("Contents/Key").isEmpty)
            #expect(none.text("IsTruncated") == "false")
            #expect(none.text("MaxKeys") == "0")
            for limit in ["1001", "2147483647"] {
                let all = try await harness.root.get("/bucket?max-keys=\(limit)\(query)")
                #expect(all.text("MaxKeys") == "1000")
                #expect(all.texts("Contents/Key").count == Self.keys.count)
            }
            for limit in ["-1", "ten", "1.5", "2147483648", "18446744073709551616", "0x10", "%2B5"] {
                #expect(
                    try await harness.root.get("/bucket?max-keys=\(limit)\(query)").outcome == "400 InvalidArgument")
            }
        }
    }

    @Test("encoding-type=url encodes whatever is made of keys, and nothing else")
    func encoding() async throws {
        let harness = try await harness()
        let items = [("delimiter", "/"), ("prefix", "p"), ("marker", "p "), ("encoding-type", "url")]
        let one = try await harness.root.get("/bucket?" + Self.query(items))
        #expect(one.text("EncodingType") == "url")
        #expect(one.text("Marker") == "p%20")
        #expect(one.texts("Contents/Key") == ["per%25cent", "plus%2Bamp%26%3Cxml%3E%22%27"])
        #expect(one.texts("CommonPrefixes/Prefix") == ["photos/"])
        let two = try await harness.root.get("/bucket?list-type=2&encoding-type=url&prefix=z%E2%86%92&start-after=z%20")
        #expect(two.text("Prefix") == "z%E2%86%92")
        #expect(two.text("StartAfter") == "z%20")
        #expect(two.texts("Contents/Key") == ["z%E2%86%92a%E2%86%921", "z%E2%86%92a%E2%86%922", "z%E2%86%92b"])
        #expect(try await harness.root.get("/bucket?encoding-type=base64").outcome == "400 InvalidArgument")
        #expect(try await harness.root.get("/bucket?prefix=z").text("EncodingType") == nil)
    }

    @Test("Each object is shown with what it has")
    func contents() async throws {
        let harness = try await GatewayHarness.withBucket()
        let headers: HeaderFields = ["x-amz-storage-class": "GLACIER_IR", "x-amz-sdk-checksum-algorithm": "SHA1"]
        try await harness.root.put("/bucket/key", "content", headers)
        let one = try await harness.root.get("/bucket")
        #expect(one.text("Name") == "bucket")
        #expect(one.text("Contents/ETag") == "\"9a0364b9e99bb480dd25e1f0284c8555\"")
        #expect(one.text("Contents/Size") == "7")
        #expect(one.text("Contents/StorageClass") == "GLACIER_IR")
        #expect(one.text("Contents/ChecksumAlgorithm") == "SHA1")
        #expect(one.text("Contents/ChecksumType") == "FULL_OBJECT")
        #expect(one.text("Contents/LastModified") == "2023-11-14T22:13:20.000Z")
        #expect(one.text("Contents/Owner/ID")?.utf8.count == 64)
        let two = try await harness.root.get("/bucket?list-type=2")
        #expect(two.text("Contents/Owner/ID") == nil, "version 2 tells the owner only where it is asked to")
        let asked = try await harness.root.get("/bucket?list-type=2&fetch-owner=true")
        #expect(asked.text("Contents/Owner/ID") == one.text("Contents/Owner/ID"))
    }

    @Test("Tokens and list types that are none are refused")
    func malformed() async throws {
        let harness = try await harness()
        for query in ["continuation-token=", "continuation-token=%2A", "continuation-token=a"] {
            let refused = try await harness.root.get("/bucket?list-type=2&\(query)")
            #expect(refused.outcome == "400 InvalidArgument", "\(query)")
        }
        for type in ["", "1", "3"] {
            #expect(try await harness.root.get("/bucket?list-type=\(type)").outcome == "400 InvalidArgument")
        }
    }

    @Test("A key that XML cannot hold is listed as a reference, and exactly with encoding-type=url")
    func controlCharacters() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/a%01b%0D%0Ac", "x")
        let raw = try await harness.root.get("/bucket")
        #expect(raw.text.contains("<Key>a&#x1;b&#xd;\nc</Key>"))
        let encoded = try await harness.root.get("/bucket?encoding-type=url")
        #expect(encoded.texts("Contents/Key") == ["a%01b%0D%0Ac"])
    }
}
