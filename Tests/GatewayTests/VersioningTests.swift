import Metadata
import Primitives
import S3Model
import Simulation
import Synchronization
import Testing

/// Versions, null versions and delete markers.
///
/// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/versioning-workflows.html>
@Suite("Versioning")
struct VersioningTests {
    @Test("A bucket's state goes from none to enabled and suspended, and never back")
    func states() async throws {
        let harness = try await GatewayHarness.withBucket()
        let fresh = try await harness.root.get("/bucket?versioning")
        #expect(fresh.root == "VersioningConfiguration")
        #expect(fresh.texts("Status").isEmpty)
        for status in ["Enabled", "Suspended", "Enabled"] {
            #expect(try await harness.root.setVersioning("bucket", status).status == 200)
            #expect(try await harness.root.get("/bucket?versioning").text("Status") == status)
        }
        for status in ["Disabled", "", "enabled"] {
            #expect(try await harness.root.setVersioning("bucket", status).outcome == "400 MalformedXML")
        }
        #expect(try await harness.root.setVersioning("other", "Enabled").outcome == "404 NoSuchBucket")
    }

    @Test("Every write makes a version, and each is read by its id")
    func enabled() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        var ids: [String] = []
        for number in 0..<3 {
            let stored = try await harness.root.put("/bucket/key", "version \(number)")
            ids.append(stored.versionID ?? "")
        }
        #expect(Set(ids).count == 3 && !ids.contains(""))
        for (number, id) in ids.enumerated() {
            let got = try await harness.root.get("/bucket/key?versionId=\(id)")
            #expect(got.text == "version \(number)")
            #expect(got.versionID == id)
            #expect(try await harness.root.head("/bucket/key?versionId=\(id)").versionID == id)
        }
        #expect(try await harness.root.get("/bucket/key").versionID == ids[2])
        try await IndexLaws.check(harness)
    }

    @Test("A delete makes a marker; deleting the marker brings the object back")
    func deleteMarker() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let stored = try await harness.root.put("/bucket/key", "content")
        let deleted = try await harness.root.delete("/bucket/key")
        #expect(deleted.status == 204)
        #expect(deleted["x-amz-delete-marker"] == "true")
        let marker = deleted.versionID ?? ""
        let missing = try await harness.root.get("/bucket/key")
        #expect(missing.outcome == "404 NoSuchKey")
        #expect(missing["x-amz-delete-marker"] == "true")
        #expect(missing.versionID == marker)
        let named = try await harness.root.get("/bucket/key?versionId=\(marker)")
        #expect(named.outcome == "405 MethodNotAllowed")
        #expect(named["x-amz-delete-marker"] == "true")
        #expect(named["allow"] == "DELETE")
        #expect(try await harness.root.head("/bucket/key?versionId=\(marker)").status == 405)
        #expect(try await harness.root.get("/bucket/key?versionId=\(stored.versionID ?? "")").text == "content")
        #expect(try await harness.root.get("/bucket").texts("Contents/Key").isEmpty)
        let undone = try await harness.root.delete("/bucket/key?versionId=\(marker)")
        #expect(undone.status == 204)
        #expect(undone["x-amz-delete-marker"] == "true")
        #expect(undone.versionID == marker)
        #expect(try await harness.root.get("/bucket/key").text == "content")
        try await IndexLaws.check(harness)
    }

    @Test("A read that began before versioning was turned on tells the id of what was written since")
    func readsMeanwhile() async throws {
        for status in ["Enabled", "Suspended"] {
            let harness = try await GatewayHarness.withBucket()
            let client = harness.root
            try await client.put("/bucket/key", "before")
            let written = Mutex<String?>(nil)
            let live = Keys.live(try await harness.bucketID(), try #require(ObjectKey("key")))
            harness.index.before(
                { call in
                    guard case .values(let keys) = call else { return false }
                    return keys.contains(live)
                },
                {
                    await recordingIssues {
                        #expect(try await client.setVersioning("bucket", status).status == 200)
                        let id = try await client.put("/bucket/key", "since").versionID
                        written.withLock { $0 = id }
                    }
                })
            let read = try await client.get("/bucket/key")
            #expect(read.text == "since")
            #expect(read.versionID != nil)
            #expect(read.versionID == written.withLock { $0 })
        }
    }

    @Test("Deletes of what is not there make markers too, one each")
    func repeatedMarkers() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        var markers: [String] = []
        for _ in 0..<3 { markers.append(try await harness.root.delete("/bucket/key").versionID ?? "") }
        let listed = try await harness.root.get("/bucket?versions")
        #expect(listed.texts("DeleteMarker/VersionId") == markers.reversed())
        #expect(listed.texts("DeleteMarker/IsLatest") == ["true", "false", "false"])
        #expect(try await harness.root.delete("/bucket").outcome == "409 BucketNotEmpty")
        for marker in markers { try await harness.root.delete("/bucket/key?versionId=\(marker)") }
        #expect(try await harness.root.delete("/bucket").status == 204)
    }

    @Test("Deleting the current version makes the one before it current")
    func previousVersion() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        var ids: [String] = []
        for number in 0..<4 { ids.append(try await harness.root.put("/bucket/key", "\(number)").versionID ?? "") }
        try await harness.root.delete("/bucket/key?versionId=\(ids[3])")
        #expect(try await harness.root.get("/bucket/key").text == "2")
        // One in the middle leaves the current one alone.
        try await harness.root.delete("/bucket/key?versionId=\(ids[1])")
        #expect(try await harness.root.get("/bucket/key").versionID == ids[2])
        #expect(try await harness.root.get("/bucket/key?versionId=\(ids[1])").outcome == "404 NoSuchVersion")
        try await harness.root.delete("/bucket/key?versionId=\(ids[2])")
        #expect(try await harness.root.get("/bucket/key").text == "0")
        try await IndexLaws.check(harness)
        try await harness.root.delete("/bucket/key?versionId=\(ids[0])")
        #expect(try await harness.root.get("/bucket/key").outcome == "404 NoSuchKey")
        for _ in 0..<2 {
            let again = try await harness.root.delete("/bucket/key?versionId=\(ids[0])")
            #expect(again.status == 204, "deleting what is not there succeeds")
            #expect(again.versionID == ids[0])
        }
        try await IndexLaws.check(harness)
    }

    @Test("An object from before versioning is the null version, and stays")
    func nullVersion() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "before")
        #expect(try await harness.root.get("/bucket/key?versionId=null").text == "before")
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        #expect(try await harness.root.head("/bucket/key").versionID == "null")
        let new = try await harness.root.put("/bucket/key", "after")
        #expect(try await harness.root.get("/bucket/key?versionId=null").text == "before")
        #expect(try await harness.root.get("/bucket/key").text == "after")
        try await harness.root.delete("/bucket/key?versionId=\(new.versionID ?? "")")
        #expect(try await harness.root.get("/bucket/key").text == "before")
        try await IndexLaws.check(harness)
    }

    @Test("While versioning is suspended, writes replace the null version and nothing else")
    func suspended() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let kept = try await harness.root.put("/bucket/key", "kept").versionID ?? ""
        _ = try await harness.root.setVersioning("bucket", "Suspended")
        for text in ["one", "two"] {
            #expect(try await harness.root.put("/bucket/key", Content(Array(text.utf8))).versionID == "null")
            try await IndexLaws.check(harness)
        }
        let listed = try await harness.root.get("/bucket?versions")
        #expect(listed.texts("Version/VersionId") == ["null", kept])
        #expect(try await harness.root.get("/bucket/key?versionId=null").text == "two")
        // A delete replaces the null version by a null marker.
        let deleted = try await harness.root.delete("/bucket/key")
        #expect(deleted.versionID == "null")
        #expect(deleted["x-amz-delete-marker"] == "true")
        #expect(try await harness.root.get("/bucket/key?versionId=null").outcome == "405 MethodNotAllowed")
        #expect(try await harness.root.get("/bucket/key?versionId=\(kept)").text == "kept")
        try await IndexLaws.check(harness)
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        let newest = try await harness.root.put("/bucket/key", "newest").versionID ?? ""
        let all = try await harness.root.get("/bucket?versions")
        #expect(all.texts("Version/VersionId") == [newest, kept])
        #expect(all.texts("DeleteMarker/VersionId") == ["null"])
        // The null version is deleted where it lies among the others.
        try await harness.root.delete("/bucket/key?versionId=null")
        #expect(try await harness.root.get("/bucket?versions").texts("DeleteMarker/VersionId").isEmpty)
        try await IndexLaws.check(harness)
    }

    @Test("A null version among the noncurrent ones is replaced by the next null version")
    func replacedNull() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "null one")
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        let id = try await harness.root.put("/bucket/key", "versioned").versionID ?? ""
        _ = try await harness.root.setVersioning("bucket", "Suspended")
        try await harness.root.put("/bucket/key", "null two")
        let listed = try await harness.root.get("/bucket?versions")
        #expect(listed.texts("Version/VersionId") == ["null", id])
        #expect(try await harness.root.get("/bucket/key?versionId=null").text == "null two")
        try await harness.root.delete("/bucket/key?versionId=null")
        #expect(try await harness.root.get("/bucket/key").text == "versioned")
        try await IndexLaws.check(harness)
    }

    @Test("Ids that are none, or another key's, name nothing")
    func unknownIDs() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let other = try await harness.root.put("/bucket/other", "other").versionID ?? ""
        try await harness.root.put("/bucket/key", "content")
        #expect(try await harness.root.get("/bucket/key?versionId=\(other)").outcome == "404 NoSuchVersion")
        #expect(try await harness.root.get("/bucket/key?versionId=null").outcome == "404 NoSuchVersion")
        for id in ["x", "", "NULL", "0000", String(repeating: "z", count: 32)] {
            #expect(try await harness.root.get("/bucket/key?versionId=\(id)").outcome == "400 InvalidArgument")
            #expect(try await harness.root.delete("/bucket/key?versionId=\(id)").outcome == "400 InvalidArgument")
        }
        #expect(try await harness.root.delete("/bucket/key?versionId=\(other)").status == 204)
        #expect(try await harness.root.get("/bucket/other").text == "other")
    }

    @Test("DeleteObjects deletes versions, makes markers, and says which")
    func deleteObjects() async throws {
        let harness = try await GatewayHarness.withBucket(versioning: "Enabled")
        let first = try await harness.root.put("/bucket/a", "1").versionID ?? ""
        try await harness.root.put("/bucket/b", "2")
        let deleted = try await harness.root.deleteAll(
            "bucket", [DeleteItem("a", version: first), "b", "c", DeleteItem("d", version: "nonsense")])
        #expect(deleted.root == "DeleteResult")
        #expect(deleted.texts("Deleted/Key") == ["a", "b", "c"])
        #expect(deleted.texts("Deleted/VersionId") == [first])
        #expect(deleted.texts("Deleted/DeleteMarker") == ["true", "true"])
        #expect(deleted.texts("Deleted/DeleteMarkerVersionId").count == 2)
        #expect(deleted.texts("Error/Key") == ["d"])
        #expect(deleted.texts("Error/Code") == ["NoSuchVersion"])
        let marker = deleted.text("Deleted/DeleteMarkerVersionId")
        let undone = try await harness.root.deleteAll("bucket", [DeleteItem("b", version: marker)])
        #expect(undone.texts("Deleted/DeleteMarkerVersionId") == [marker])
        #expect(try await harness.root.get("/bucket/b").text == "2")
        let quiet = try await harness.root.deleteAll("bucket", ["b", DeleteItem("d", version: "x")], isQuiet: true)
        #expect(quiet.texts("Deleted/Key").isEmpty)
        #expect(quiet.texts("Error/Key") == ["d"])
        try await IndexLaws.check(harness)
    }

    @Test("A read that races the end of what it found first finds what came after it")
    func racingReads() async throws {
        let harness = try await GatewayHarness.withBucket()
        try await harness.root.put("/bucket/key", "null one")
        _ = try await harness.root.setVersioning("bucket", "Enabled")
        let newer = try await harness.root.put("/bucket/key", "newer").versionID ?? ""
        let key = try #require(ObjectKey("key"))
        // The null version lies among the others, and becomes current while it is looked for.
        let row = Keys.versions(try await harness.bucketID(), key)
        harness.index.before({ call in
            guard case .values(let keys) = call else { return false }
            return keys.count == 1 && keys[0].starts(with: row)
        }) {
            #expect((try? await harness.root.delete("/bucket/key?versionId=\(newer)"))?.status == 204)
        }
        #expect(try await harness.root.get("/bucket/key?versionId=null").text == "null one")
    }

    @Test("A read of a long list of parts that is replaced meanwhile gives the old object or the new one")
    func racingManifest() async throws {
        let harness = try await GatewayHarness.withBucket()
        let bucket = try await harness.bucketID()
        for (round, method) in ["GET", "HEAD"].enumerated() {
            let text = try await harness.root.startUpload("/bucket/key")
            try await harness.forgeParts(9, of: try #require(UploadID(text)), in: bucket, round: UInt64(round))
            let parts = (1...9).map { ($0, Optional(MultipartTests.forgedETag)) }
            #expect(try await harness.root.complete("/bucket/key", text, parts).status == 200)
            let manifests = Keys.room(bucket, "m")
            harness.index.before({ call in
                guard case .values(let keys) = call else { return false }
                return keys.contains { $0.starts(with: manifests) }
            }) {
                #expect((try? await harness.root.put("/bucket/key", "new"))?.status == 200)
            }
            let got = try await harness.root.send(method, "/bucket/key?partNumber=1")
            #expect(got.status == 206)
            #expect(got["content-length"] == "3")
        }
    }
}
