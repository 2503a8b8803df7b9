import Gateway
import Metadata
import Primitives
import S3Model
import Testing

/// Pages of listings that the index ends before the limit.
@Suite("Pages of listings")
struct PageTests {
    @Test("Records that fill more than a page of the index are all listed", arguments: ["", "&delimiter=/"])
    func longRecords(query: String) async throws {
        let harness = try await GatewayHarness()
        try await harness.root.put("/bucket")
        let bucket = try await harness.gateway.buckets.bucket("bucket")
        let keys = (0..<600).map { "key-\($0 + 100)" }
        var changes = Changes()
        for (position, key) in keys.enumerated() {
            var record = VersionRecord()
            record.metadata = ["long": String(repeating: "x", count: 20_000)]
            record.uid = UInt64(position)
            changes.put(Keys.live(bucket.id, try #require(ObjectKey(key))), record.encoded)
            if changes.mutations.count == 100 {
                try await harness.write(changes.mutations)
                changes = Changes()
            }
        }
        var (found, marker): ([String], String?) = ([], "")
        while let after = marker {
            let page = try await harness.root.get("/bucket?marker=\(after)\(query)")
            #expect(page.status == 200)
            found += page.texts("Contents/Key")
            marker = page.text("IsTruncated") == "true" ? page.text("NextMarker") ?? found.last : nil
        }
        #expect(found == keys)
        (found, marker) = ([], "")
        while let token = marker {
            let continuation = token.isEmpty ? "" : "&continuation-token=\(token)"
            let page = try await harness.root.get("/bucket?list-type=2\(continuation)\(query)")
            found += page.texts("Contents/Key")
            marker = page.text("IsTruncated") == "true" ? page.text("NextContinuationToken") : nil
        }
        #expect(found == keys)
    }
}
