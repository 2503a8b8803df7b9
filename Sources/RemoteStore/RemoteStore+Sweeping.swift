import NIOCore
import Primitives
package import Storage

extension RemoteStore {
    /// Pages of a sweep, at most: what is behind them is found once those before are gone.
    private static let sweptPages = 100

    /// Aborts the uploads of blobs, and of probes, that were begun more than a time ago: no writer is left who could
    /// complete or abort them, and the backend keeps their parts. Uploads of others are left alone, and so is one that
    /// does not say when it was begun.
    ///
    /// - Parameter age: By the backend's clock, and where ours is behind it, by ours. Longer than any write takes.
    /// - Returns: The number of those that were aborted.
    /// - Throws: `unavailable` where the backend lists no uploads, or where some could not be aborted; the others were.
    package func abortUploads(olderThan age: Duration) async throws(StorageError) -> Int {
        var count = 0
        var failure: RemoteFault?
        do throws(RemoteFault) {
            for upload in try await uploads(olderThan: age) {
                do throws(RemoteFault) {
                    _ = try await client.perform(.abort(upload.key, upload.id), limit: ErrorAnswer.byteLimit)
                    count += 1
                } catch {
                    // Somebody else did.
                    guard !error.hasCode("NoSuchUpload") else { continue }
                    // One that cannot be aborted must not keep the others; whoever does not answer will not do so then.
                    if case .transfer = error.kind { throw error }
                    failure = failure ?? error
                }
            }
            if let failure { throw failure }
        } catch {
            throw storageError(error)
        }
        return count
    }

    private func uploads(olderThan age: Duration) async throws(RemoteFault) -> [UploadPage.Entry] {
        var found: [UploadPage.Entry] = []
        for prefix in [names.blobs, names.probes] {
            var (marker, pages): (UploadPage.Marker?, Int) = (nil, 0)
            repeat {
                let call = RemoteCall.uploads(prefix: prefix, behind: marker)
                let answer = try await client.perform(call, limit: UploadPage.byteLimit)
                guard let page = UploadPage(answer.body) else {
                    throw RemoteFault(call.operation, .wrong("its listing of uploads cannot be read"))
                }
                let told = answer.head.fields["date"].flatMap { Timestamp(httpDate: $0) }
                let now = min(told ?? client.clock.now(), client.clock.now())
                found += page.entries.filter { entry in
                    isOurs(entry.key) && entry.initiated.map { now - $0 > age } == true
                }
                guard page.next != marker || marker == nil else {
                    throw RemoteFault(call.operation, .wrong("its listing of uploads does not go on"))
                }
                marker = page.next
                pages += 1
            } while marker != nil && pages < Self.sweptPages
        }
        return found
    }

    private func isOurs(_ key: String) -> Bool {
        names.name(of: Array(key.utf8)) != nil || key.utf8.starts(with: names.probes.utf8)
    }
}
