package import Primitives
package import S3Model
import S3Wire

extension DeleteObjects: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        _ = try await gateway.buckets.bucket(input.bucket)
        let authorizer = Authorizer(gateway, request)
        var batch = Batch(bucket: input.bucket, request: request, recorder: Recorder(gateway))
        for (position, item) in input.items.enumerated() {
            // A thousand keys are as much work as a thousand requests: others have their turn between them, and what is
            // left of them goes undone where nobody waits for the answer any more.
            await Task.yield()
            guard !Task.isCancelled else {
                await batch.tellRefused()
                throw S3Error.hidden(.requestTimeout, "cancelled with \(input.items.count - position) keys to go")
            }
            request.forgetStatements()
            do throws(S3Error) {
                let deleted = try await delete(item, position, input.bucket, authorizer, request, gateway)
                batch.outcomes[position] = .deleted(deleted)
            } catch {
                batch.refused.append(Recorder.RefusedKey(position: position, key: item.key, error: error))
            }
            // The refused keys of a stranger share a record; others have their own at once, with what decided it.
            if !request.caller.isAnonymous { await batch.tellRefused() }
        }
        await batch.tellRefused()
        // A request none of whose keys was allowed is denied; its keys say so one by one, as S3's do.
        let results = input.items.enumerated().compactMap { position, item in
            batch.outcomes[position].map { Result(item: item, outcome: $0) }
        }
        return Reply(Output(results: results, isQuiet: input.isQuiet))
    }

    /// What has become of the keys so far.
    private struct Batch {
        let bucket: String
        let request: RequestContext
        let recorder: Recorder
        var outcomes: [Int: Result.Outcome] = [:]
        /// Without a record as yet.
        var refused: [Recorder.RefusedKey] = []

        /// Records what was refused; without its record, even a refusal is not told.
        mutating func tellRefused() async {
            let told = await recorder.refuse(request, refused, bucket: bucket)
            for (key, error) in zip(refused, told) {
                outcomes[key.position] = .failed(code: error.code.name, message: error.message)
            }
            refused = []
        }
    }

    private static func delete(
        _ item: Item, _ position: Int, _ bucket: String, _ authorizer: Authorizer, _ request: RequestContext,
        _ gateway: Gateway
    ) async throws(S3Error) -> DeleteObject.Output {
        if item.invalidVersion != nil { throw S3Error(.noSuchVersion) }
        let accesses = DeleteObject.accesses(
            bucket: bucket, key: item.key, version: item.versionID, preconditions: item.preconditions)
        for access in accesses { try await authorizer.require(access) }
        return try await ObjectDeletion(gateway, request).delete(
            item.key, item.versionID, bucketName: bucket, preconditions: item.preconditions, suffix: String(position))
    }
}
