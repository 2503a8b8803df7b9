package import Audit
package import Primitives
package import S3Model

/// Writes the records of what changed nothing: reads, refusals, failures.
package struct Recorder: Sendable {
    private let gateway: Gateway

    package init(_ gateway: Gateway) {
        self.gateway = gateway
    }

    /// Records a request that was answered without a commit.
    /// - Throws: `ServiceUnavailable` where the log takes no records: then nothing is answered either.
    package func record(_ event: AuditEvent) async throws(S3Error) {
        do {
            _ = try await gateway.audit.append(AuditRecord(event), durability: gateway.settings.auditDurability)
        } catch {
            throw S3Error.hidden(.serviceUnavailable, "audit: \(error)")
        }
    }

    /// Whether a refusal is to have a record: every one is, but those of a source that is noisy and says not who it is,
    /// which are counted instead.
    ///
    /// - Parameter caller: who asked; nil where that could not be found out.
    package func isRecorded(_ caller: Caller?, from address: String) -> Bool {
        guard caller?.isAnonymous ?? true else { return true }
        return gateway.noise.isRecorded(from: address, at: gateway.environment.monotonicNanoseconds())
    }

    /// A key that was refused, of a request that names several.
    package struct RefusedKey: Sendable {
        /// Where the request names it, from 0.
        package var position: Int
        package var key: ObjectKey
        package var error: S3Error

        package init(position: Int, key: ObjectKey, error: S3Error) {
            (self.position, self.key, self.error) = (position, key, error)
        }
    }

    /// Keys that a record of several names one by one.
    private static let namedKeys = 8

    /// Records the refused keys of a request that was served otherwise, which then needs no record of its own.
    ///
    /// Whoever says who they are has a record for each key. The keys of others share one, with how many there are and
    /// the first of them, and it counts as one refusal of its source: a stranger could fill the log otherwise.
    /// - Returns: what the client is told of each key: `error`, or that the service is not available where the log took
    ///   no record.
    package func refuse(_ request: RequestContext, _ keys: [RefusedKey], bucket: String) async -> [S3Error] {
        guard let first = keys.first else { return [] }
        guard request.caller.isAnonymous else {
            var told: [S3Error] = []
            for key in keys {
                // A commit whose outcome nobody knows may have put a record of this name into the outbox.
                let suffix = request.isUndecided ? "\(key.position)-failed" : "\(key.position)"
                let event = request.event(in: gateway, bucket: bucket, key: key.key, error: key.error, suffix: suffix)
                told.append(await refuse(request, event, bucket) ?? key.error)
            }
            return told
        }
        guard isRecorded(request.caller, from: request.incoming.peerAddress) else {
            request.markRecorded()
            return keys.map(\.error)
        }
        var event = request.event(in: gateway, bucket: bucket, error: first.error, suffix: "refused")
        event.requestParameters["refusedKeys"] = String(keys.count)
        for (code, keys) in Dictionary(grouping: keys, by: \.error.code.name) {
            event.requestParameters["refusedKeys-\(code)"] = String(keys.count)
        }
        event.managementEvent = false
        event.resources += keys.prefix(Self.namedKeys).map {
            AuditResource(arn: "arn:aws:s3:::\(bucket)/\($0.key)", type: "AWS::S3::Object")
        }
        let failure = await refuse(request, event, bucket)
        return keys.map { failure ?? $0.error }
    }

    /// Records a refusal of a request that goes on.
    ///
    /// - Returns: what the client is told instead, where the log took no record.
    private func refuse(_ request: RequestContext, _ event: AuditEvent, _ bucket: String) async -> S3Error? {
        do throws(S3Error) {
            try await record(event)
            request.markRecorded()
            return nil
        } catch let failure {
            gateway.metrics.observe(
                GatewayMetrics.Observation(
                    requestID: request.id, operation: "AuditLog", status: 503, errorCode: failure.code.name,
                    reason: "a refusal could not be recorded", bucket: bucket,
                    peerAddress: request.incoming.peerAddress, isAnonymous: request.caller.isAnonymous, bytesIn: 0,
                    bytesOut: 0, nanoseconds: 0))
            return failure
        }
    }
}
