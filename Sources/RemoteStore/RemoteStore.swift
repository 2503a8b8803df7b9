package import Primitives
package import Signing
package import Storage
import Synchronization

/// A blob store in a bucket of another S3 service.
///
/// An object's key is a prefix and the blob's name, and nothing else of it is relied upon but its bytes and its length:
/// no ETag, no tag, no ACL, no conditional write of the backend's. What a backend answers is checked, and an answer
/// that cannot be right is an error that names the backend and what was wrong (the page RemoteStore of Decisions).
package final class RemoteStore: BlobStore {
    /// What messages call the backend.
    package let name: String
    let client: RemoteClient
    let names: ObjectNames
    let settings: RemoteStoreSettings
    private let uploads = Mutex<[UploadLeftBehind]>([])

    /// The key of a blob in a bucket.
    package static func key(of name: BlobName, prefix: String) -> String { ObjectNames(prefix: prefix).key(of: name) }

    /// Keys in a row that are no blobs, after which a listing is taken for one without end.
    private static let mostForeignKeys = 10_000

    /// Nothing is sent yet.
    ///
    /// - Throws: `unavailable` where the system has no thread, descriptor or memory left.
    package init(
        name: String, endpoint: RemoteEndpoint, credentials: SigningCredentials,
        settings: RemoteStoreSettings = RemoteStoreSettings(), environment: any Environment
    ) throws(StorageError) {
        guard let engine = TransferEngine(settings.transfer, environment: environment) else {
            throw .unavailable("\(name): the system has no thread left")
        }
        self.name = name
        self.settings = settings
        names = ObjectNames(prefix: endpoint.prefix)
        client = RemoteClient(endpoint, credentials, engine: engine, policy: settings.retry, environment: environment)
    }

    package func delete(_ name: BlobName) async throws(StorageError) {
        let call = RemoteCall.delete(names.key(of: name))
        do throws(RemoteFault) {
            _ = try await client.perform(call, limit: ErrorAnswer.byteLimit)
        } catch {
            // Some services answer so where others answer 204.
            guard !error.isNotFound else { return }
            throw storageError(error)
        }
    }

    package func blobs(after: BlobName?, limit: Int) async throws(StorageError) -> [BlobSummary] {
        var summaries: [BlobSummary] = []
        var last = after.map { Array(names.key(of: $0).utf8) } ?? []
        var (token, foreign): (String?, Int) = (nil, 0)
        while summaries.count < limit {
            // What is none of ours is passed over by large steps.
            let size = foreign == 0 ? min(limit - summaries.count, 1000) : 1000
            let page = try await page(after: last, token: token, limit: size)
            for entry in page.entries where summaries.count < limit {
                let name = names.name(of: entry.key)
                foreign = name == nil ? foreign + 1 : 0
                if let name { summaries.append(BlobSummary(name: name, length: entry.size)) }
            }
            guard foreign <= Self.mostForeignKeys else {
                let detail = "its listing has \(foreign) keys in a row that are no blobs"
                throw storageError(RemoteFault("ListObjectsV2", .wrong(detail)))
            }
            guard let next = page.token, let key = page.entries.last?.key else { break }
            (token, last) = (next, key)
        }
        return summaries
    }

    private func page(after: [UInt8], token: String?, limit: Int) async throws(StorageError) -> ListingPage {
        let call = RemoteCall.listing(prefix: names.blobs, after: after, token: token, limit: limit)
        do throws(RemoteFault) {
            let answer = try await client.perform(call, limit: ListingPage.byteLimit)
            do throws(ListingPage.Wrong) {
                return try ListingPage(answer.body, prefix: names.blobs, after: after)
            } catch {
                throw RemoteFault(call.operation, .wrong(error.detail))
            }
        } catch {
            throw storageError(error)
        }
    }

    /// What the caller of a store is told of a fault in which the body had no part.
    func storageError(_ fault: RemoteFault) -> StorageError {
        fault.isCancelled
            ? .sink(BodyError(.cancelled, "The call was cancelled.")) : fault.storageError(of: name)
    }

    func leaveBehind(_ upload: UploadLeftBehind) {
        uploads.withLock { $0.append(upload) }
    }
}

extension RemoteStore {
    /// An upload that could be neither completed nor aborted. The backend keeps its parts until somebody aborts it.
    package struct UploadLeftBehind: Sendable, Hashable {
        package let key: String
        package let id: String
    }

    /// The uploads of this process that could not be aborted; they are forgotten with that.
    package func takeUploadsLeftBehind() -> [UploadLeftBehind] {
        uploads.withLock { uploads in
            defer { uploads = [] }
            return uploads
        }
    }

    /// Signs with other credentials from the next request on.
    package func use(_ credentials: SigningCredentials) {
        client.use(credentials)
    }

    /// By how much the backend's clock is ahead of ours; zero as long as the backend took what ours signed.
    package var clockSkew: Duration { client.clock.skew }

    /// Whose the store is; nil where that was never written.
    ///
    /// - Throws: `corrupt` where it cannot be read; `unavailable`, also for a format newer than this code.
    package func readIdentity() async throws(StorageError) -> StoreIdentity? {
        let call = RemoteCall.get(names.identity)
        let answer: RemoteAnswer
        do throws(RemoteFault) {
            answer = try await client.perform(call, limit: StoreIdentityText.limit)
        } catch {
            guard !error.isNotFound else { return nil }
            throw storageError(error)
        }
        return try StoreIdentityText.decode(answer.body)
    }

    /// Says whose the store is, in one request: a crash leaves the old identity or the new one.
    package func writeIdentity(_ identity: StoreIdentity) async throws(StorageError) {
        let call = RemoteCall.put(names.identity)
        do throws(RemoteFault) {
            _ = try await client.perform(
                call, body: [StoreIdentityText.encode(identity)], limit: ErrorAnswer.byteLimit)
        } catch {
            throw storageError(error)
        }
    }

    /// Ends what is under way, and refuses what comes later.
    package func close() {
        client.engine.close()
    }
}
