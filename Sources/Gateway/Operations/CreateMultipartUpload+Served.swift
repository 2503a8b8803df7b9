import Cryptography
import Metadata
import Policy
package import Primitives
package import S3Model
import S3Wire

extension CreateMultipartUpload: ServedOperation {
    package static func perform(
        _ input: Input, body: consuming Body, for request: RequestContext, in gateway: Gateway
    ) async throws(S3Error) -> Reply<Output> {
        let isComposite = try composite(input)
        for _ in 0..<20 {
            let bucket = try await gateway.buckets.bucket(input.bucket)
            let now = gateway.environment.now()
            let id = UploadID(started: now, random: gateway.environment.random())
            var record = UploadRecord()
            record.started = now
            record.template = VersionRecord(input.attributes, modified: now, uid: 0)
            record.checksumAlgorithm = input.checksumAlgorithm
            record.isComposite = isComposite
            record.initiator = request.caller.principal.accountID
            record.initiatorARN = request.caller.principal.arn
            var changes = Changes()
            changes.require(bucket.entry.key, unchangedFrom: bucket.entry)
            changes.put(Keys.upload(bucket.id, input.key, id), record.encoded)
            request.note(parameter: "uploadId", id.description)
            let done = try await ObjectWriter(gateway, request).attempt(changes, bucket: bucket, key: input.key)
            guard done != nil else { continue }
            return Reply(
                Output(
                    bucket: input.bucket, key: input.key, upload: id.description,
                    checksumAlgorithm: input.checksumAlgorithm, isComposite: isComposite))
        }
        throw S3Error(.operationAborted)
    }

    /// How the parts' checksums make the object's: as asked, where the algorithm can; else by the algorithm's habit.
    ///
    /// Source: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html>
    private static func composite(_ input: Input) throws(S3Error) -> Bool {
        guard let name = input.checksumAlgorithm else { return false }
        let algorithm = try ObjectWriter.algorithm(name)
        guard let wanted = input.isComposite else { return algorithm.supportsCompositeMultipart }
        guard wanted ? algorithm.supportsCompositeMultipart : algorithm.supportsFullObjectMultipart else {
            throw S3Error(
                .invalidRequest,
                "The \(wanted ? "COMPOSITE" : "FULL_OBJECT") checksum type cannot be used with the "
                    + "\(name.lowercased()) checksum algorithm."
            )
        }
        return wanted
    }
}
