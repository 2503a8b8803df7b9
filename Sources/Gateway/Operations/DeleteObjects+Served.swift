package import Primitives
package import S3Model
import S3Wire

extension DeleteObjects: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let authorizer = Authorizer(gateway, request)
        _ = try await gateway.buckets.bucket(input.bucket)
        var results: [Result] = []
        for (position, item) in input.items.enumerated() {
            // A thousand keys are as much work as a thousand requests: others have their turn between them, and what is
            // left of them goes undone where nobody waits for the answer any more.
            await Task.yield()
            guard !Task.isCancelled else {
                throw S3Error.hidden(.requestTimeout, "cancelled with \(input.items.count - position) keys to go")
            }
            results.append(
                Result(
                    item: item,
                    outcome: await outcome(of: item, position, input.bucket, authorizer, request, gateway)))
        }
        // A request none of whose keys was allowed is denied; its keys say so one by one, as S3's do.
        return Reply(Output(results: results, isQuiet: input.isQuiet))
    }

    private static func outcome(
        of item: Item, _ position: Int, _ bucket: String, _ authorizer: Authorizer, _ request: RequestContext,
        _ gateway: Gateway
    ) async -> Result.Outcome {
        request.forgetStatements()
        do throws(S3Error) {
            if item.invalidVersion != nil { throw S3Error(.noSuchVersion) }
            let accesses = DeleteObject.accesses(
                bucket: bucket, key: item.key, version: item.versionID, preconditions: item.preconditions)
            for access in accesses { try await authorizer.require(access) }
            let deleted = try await ObjectDeletion(gateway, request).delete(
                item.key, item.versionID, bucketName: bucket, preconditions: item.preconditions,
                suffix: String(position))
            return .deleted(deleted)
        } catch {
            // Every key has its record, the refused ones too; without it, even a refusal is not told.
            let told = await Recorder(gateway).refuse(
                request, error, bucket: bucket, key: item.key, suffix: String(position))
            return .failed(code: told.code.name, message: told.message)
        }
    }
}
