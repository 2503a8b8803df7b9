import Cryptography
import Primitives
import Synchronization

/// Listings and uploads.
extension FakeBackend {
    func list(_ call: Call) -> Reply {
        Self.listing(sizes, call)
    }

    /// A page of a listing of these keys and sizes.
    ///
    /// - Parameter isBefore: The order.
    static func listing(
        _ sizes: [String: Int], _ call: Call,
        isBefore: (String, String) -> Bool = { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    ) -> Reply {
        let keys = sizes.keys.filter { $0.utf8.starts(with: (call.query["prefix"] ?? "").utf8) }.sorted(by: isBefore)
        let after =
            call.query["continuation-token"].flatMap { Hex.decode($0) }.map { String(decoding: $0, as: UTF8.self) }
            ?? call.query["start-after"] ?? ""
        let rest = keys.filter { isBefore(after, $0) || after.isEmpty }
        let page = rest.prefix(call.query["max-keys"].flatMap { Int($0) } ?? 1000)
        let contents = page.map { key in
            "<Contents><Key>\(PercentCoding.encode(key.utf8))</Key><Size>\(sizes[key] ?? 0)</Size></Contents>"
        }
        let isTruncated = page.count < rest.count
        let token =
            isTruncated ? "<NextContinuationToken>\(Hex.encode((page.last ?? "").utf8))</NextContinuationToken>" : ""
        return .document(
            "<ListBucketResult><MaxKeys>\(call.query["max-keys"] ?? "")</MaxKeys><EncodingType>url</EncodingType>"
                + "<IsTruncated>\(isTruncated)</IsTruncated>\(token)\(contents.joined())</ListBucketResult>")
    }

    func versions(_ call: Call) -> Reply {
        let prefix = call.query["prefix"] ?? ""
        let elements = state.withLock { state in
            let current = state.objects.keys.map { ($0, "null", false) }
            return (state.versions + current).filter { $0.0.hasPrefix(prefix) }.map { key, id, isMarker in
                let name = isMarker ? "DeleteMarker" : "Version"
                return "<\(name)><Key>\(key.replacing("&", with: "&amp;"))</Key><VersionId>\(id)</VersionId></\(name)>"
            }
        }
        return .document("<ListVersionsResult>\(elements.joined())</ListVersionsResult>")
    }

    func uploads(_ call: Call) -> Reply {
        let prefix = call.query["prefix"] ?? ""
        let elements = state.withLock { state in
            state.uploads.filter { $0.value.key.hasPrefix(prefix) }.map { id, upload in
                "<Upload><Key>\(upload.key)</Key><UploadId>\(id)</UploadId></Upload>"
            }
        }
        return .document("<ListMultipartUploadsResult>\(elements.joined())</ListMultipartUploadsResult>")
    }

    func multipart(_ call: Call) -> Reply {
        state.withLock { state in
            let id = call.query["uploadId"] ?? ""
            if call.kind == .create {
                let id = "u\(state.next())"
                state.uploads[id] = (call.key, [:])
                return .document(
                    "<InitiateMultipartUploadResult><UploadId>\(id)</UploadId></InitiateMultipartUploadResult>")
            }
            guard let upload = state.uploads[id], upload.key == call.key else { return .error(404, "NoSuchUpload") }
            switch call.kind {
            case .part:
                state.uploads[id]?.parts[call.query["partNumber"].flatMap { Int($0) } ?? 0] = call.body
                return Reply(fields: [("ETag", "\"\(Hex.encode(Digest.hash(.md5, call.body)))\"")])
            case .parts: return .document("<ListPartsResult><MaxParts>1000</MaxParts></ListPartsResult>")
            case .complete:
                let parts = upload.parts.sorted { $0.key < $1.key }.map(\.value)
                // Small ones are kept too small here, as the probe's own are.
                guard parts.dropLast().allSatisfy({ $0.count >= 4096 }) else { return .error(400, "EntityTooSmall") }
                state.objects[call.key] = parts.flatMap { $0 }
                state.uploads[id] = nil
                return .document("<CompleteMultipartUploadResult/>")
            default:
                state.uploads[id] = nil
                return Reply(status: 204)
            }
        }
    }
}
