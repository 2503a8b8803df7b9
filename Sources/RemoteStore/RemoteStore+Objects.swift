import NIOCore
package import Primitives
package import Storage
import XML

/// An object of somebody else's in the bucket of a backend, as the backend tells of it.
package struct RemoteObject: Sendable, Hashable {
    package var key: [UInt8]
    package var size: Int64
    /// Without quotes.
    package var etag: String
    /// Whether the ETag is the MD5 of the bytes: that of an upload in parts has a hyphen, and that of an object which
    /// the service encrypts with a key of its caller's, or of its key management, is none.
    package var isMD5: Bool
    package var modified: Timestamp
    /// System headers that are stored (`content-type` and so on), by lower-case name.
    package var headers: [String: String] = [:]
    /// User metadata, by name without `x-amz-meta-`.
    package var metadata: [String: String] = [:]
    package var tags: [(key: String, value: String)] { pairs.map { ($0.key, $0.value) } }
    private var pairs: [Pair] = []

    private struct Pair: Sendable, Hashable {
        var key: String
        var value: String
    }

    /// The system headers that S3 stores with an object.
    private static let storedHeaders = [
        "cache-control", "content-disposition", "content-encoding", "content-language", "content-type", "expires",
        "x-amz-website-redirect-location",
    ]
    private static let metadataPrefix = "x-amz-meta-"

    /// - Throws: A sentence, where the answer does not tell what S3's does.
    init(_ key: [UInt8], _ head: ResponseHead) throws(ListingPage.Wrong) {
        guard let size = RangeAnswer.length(head), let etag = head.fields["etag"], !Self.plain(etag).isEmpty,
            let modified = head.fields["last-modified"].flatMap({ Timestamp(httpDate: $0) })
        else { throw ListingPage.Wrong(detail: "its answer lacks Content-Length, ETag or Last-Modified") }
        (self.key, self.size, self.etag, self.modified) = (key, size, Self.plain(etag), modified)
        let encryption = head.fields["x-amz-server-side-encryption"] ?? "AES256"
        isMD5 =
            Hex.decode(self.etag)?.count == 16 && encryption.utf8.elementsEqual("AES256".utf8)
            && head.fields["x-amz-server-side-encryption-customer-algorithm"] == nil
        for name in Self.storedHeaders { headers[name] = head.fields[name] }
        for field in head.fields.fields where field.name.utf8.starts(with: Self.metadataPrefix.utf8) {
            metadata[String(field.name.dropFirst(Self.metadataPrefix.count))] = field.value
        }
    }

    /// An ETag without quotes, and without a sign that it is weak.
    static func plain(_ etag: String) -> String {
        var bytes = Array(etag.utf8)[...]
        if bytes.starts(with: "W/".utf8) { bytes = bytes.dropFirst(2) }
        guard bytes.count >= 2, bytes.first == UInt8(ascii: "\""), bytes.last == UInt8(ascii: "\"") else {
            return String(decoding: bytes, as: UTF8.self)
        }
        return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
    }

    mutating func take(tags document: ByteBuffer) throws(ListingPage.Wrong) {
        do throws(XMLError) {
            let root = try XMLDocument.parse(document, limits: XMLLimits(bytes: ErrorAnswer.byteLimit))
            for tag in root.child("TagSet")?.children("Tag") ?? [] {
                guard let key = tag.child("Key")?.text, let value = tag.child("Value")?.text else { continue }
                pairs.append(Pair(key: key, value: value))
            }
        } catch {
            throw ListingPage.Wrong(detail: "its tags cannot be read: \(error)")
        }
    }
}

/// Somebody else's objects, in a bucket that is adopted.
extension RemoteStore {
    /// Keys of the bucket below the endpoint's prefix, a page at a time, in whatever order the backend has them.
    ///
    /// - Parameter place: how the page before told that this one is asked for; nil for the first.
    package func objectKeys(from place: String?) async throws(StorageError) -> (keys: [[UInt8]], next: String?) {
        let prefix = client.endpoint.prefix
        let call = RemoteCall.listing(prefix: prefix, after: [], token: place, limit: 1000)
        do throws(RemoteFault) {
            let answer = try await client.perform(call, limit: ListingPage.byteLimit)
            do throws(ListingPage.Wrong) {
                let page = try ListingPage.unordered(answer.body)
                guard page.next == nil || page.next != place else {
                    throw ListingPage.Wrong(detail: "its listing does not go on")
                }
                // What lies elsewhere is not what was adopted, whatever a listing has.
                return (page.entries.map(\.key).filter { $0.starts(with: prefix.utf8) }, page.next)
            } catch {
                throw RemoteFault(call.operation, .wrong(error.detail))
            }
        } catch {
            throw storageError(error)
        }
    }

    /// What the backend tells of an object; nil where there is none.
    package func describe(_ key: [UInt8]) async throws(StorageError) -> RemoteObject? {
        let name = String(decoding: key, as: UTF8.self)
        do throws(RemoteFault) {
            let call = RemoteCall.head(name)
            let answer: RemoteAnswer
            do throws(RemoteFault) {
                answer = try await client.perform(call, limit: 0)
            } catch {
                // The refusal of a HEAD has no document.
                guard case .refused(let refusal) = error.kind, refusal.status == 404 else { throw error }
                return nil
            }
            var document: ByteBuffer?
            if let count = answer.head.fields["x-amz-tagging-count"], !count.utf8.elementsEqual("0".utf8) {
                let tags = RemoteCall(operation: "GetObjectTagging", method: "GET", key: name, query: [("tagging", "")])
                document = try await client.perform(tags, limit: ErrorAnswer.byteLimit).body
            }
            do throws(ListingPage.Wrong) {
                var object = try RemoteObject(key, answer.head)
                if let document { try object.take(tags: document) }
                return object
            } catch {
                throw RemoteFault(call.operation, .wrong(error.detail))
            }
        } catch {
            throw storageError(error)
        }
    }

    /// Writes a range of an object to a sink in order.
    ///
    /// - Parameter etag: the object's; with another one it is another object by now.
    /// - Throws: `unavailable` also where the object is another one, or gone; `sink`.
    package func readObject(
        _ key: [UInt8], etag: String, range: Range<Int64>, into sink: inout any BodySink
    ) async throws(StorageError) {
        guard !range.isEmpty else { return }
        let call = RemoteCall.get(
            String(decoding: key, as: UTF8.self),
            ["range": "bytes=\(range.lowerBound)-\(range.upperBound - 1)", "if-match": "\"\(etag)\""])
        do throws(StorageError) {
            try await read(call, range, into: &sink)
        } catch .notFound, .invalidRange {
            throw .unavailable("\(name): an adopted object is gone, or another one by now")
        } catch {
            throw error
        }
    }
}
